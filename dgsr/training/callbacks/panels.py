"""Write pictures of the same images at every validation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger
from torch import Tensor

from dgsr.checks import expect
from dgsr.images import write_image
from dgsr.ops.precision import in_full
from dgsr.pictures import grid
from dgsr.training.loop.module import as_training
from dgsr.training.loop.validation import qualified


class ImagePanels(lightning.Callback):
    """Write a grid per validation and set, also to TensorBoard and Weights & Biases if these are enabled.

    Its columns are chosen by the task; some tasks have no pictures.

    Args:
        directory: Folder of `step_*.png`; those of a named set are in a folder of its name.
        num_images: Rows of the grid: the first images of the set that the main process measures.
    """

    def __init__(self, directory: str, num_images: int = 4) -> None:
        expect(num_images > 0, "callbacks.panels.num_images above 0", num_images, "Or callbacks.panels=null.")
        self.directory, self.num_images = Path(directory), num_images
        self._columns: dict[str, dict[str, list[Tensor]]] = {}

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        """Keep the first images."""
        if not trainer.is_global_zero:
            return
        module = as_training(pl_module)
        for index, set_name in enumerate(batch["set"]):
            columns = self._columns.setdefault(set_name, {})
            if len(columns.get("hq", [])) < self.num_images:
                with in_full(module.device):  # as in the validation step
                    shown = module.columns({name: images[index] for name, images in outputs.items()})
                for title, image in shown.items():
                    columns.setdefault(title, []).append(image.float().cpu())

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the grids."""
        sets, self._columns = self._columns, {}
        if not trainer.is_global_zero:
            return
        step = as_training(pl_module).step
        for set_name, columns in sets.items():
            if not columns:
                continue
            picture, path = grid(columns), self.directory / set_name / f"step_{step:07d}.png"
            write_image(path, picture)
            name = f"val/{qualified(set_name, 'panel')}"
            for logger in trainer.loggers:
                if isinstance(logger, TensorBoardLogger):
                    logger.experiment.add_image(name, picture, step)
                elif isinstance(logger, WandbLogger):
                    logger.log_image(name, [str(path)], step)
