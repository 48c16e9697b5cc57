"""Export the best and the last checkpoint of a run as models ready for use."""

from __future__ import annotations

from pathlib import Path

import lightning

from dgsr.checkpoints import save_s3diff
from dgsr.checkpoints.s3diff import expect_s3diff
from dgsr.checkpoints.trainer import generator_state, read_checkpoint
from dgsr.checks import refuse
from dgsr.models.generator import OneStepGenerator
from dgsr.training.loop.module import as_training
from dgsr.training.tasks.restoration import as_restoration


class Export(lightning.Callback):
    """Export the best and the last checkpoint to folders; `dgsr upscale --model` reads those of generators.

    Args:
        directory: Folder in which the folders `best` and `last` are written.
        checkpoints: Folder of `best.ckpt` and `last.ckpt`.
        s3diff: Also write `best.pkl` and `last.pkl`, in the authors' format.
    """

    def __init__(self, directory: str, checkpoints: str, s3diff: bool = False) -> None:
        self.directory, self.checkpoints, self.s3diff = Path(directory), Path(checkpoints), s3diff

    def setup(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Refuse a network that the authors' format cannot hold, before training.

        Raises:
            UserError: The format cannot hold the network.
        """
        if self.s3diff:
            generator = as_training(pl_module).network
            expected = "a generator to export by callbacks.export.s3diff"
            if not isinstance(generator, OneStepGenerator):
                refuse(expected, type(generator).__name__, "Set it to false.")
            expect_s3diff(generator)

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Export, in the main process, and restore the networks."""
        if not trainer.is_global_zero:
            return
        module = as_training(pl_module)
        trained = {name: tensor.clone() for name, tensor in module.network.trainable_state().items()}
        present = [name for name in ("best", "last") if (self.checkpoints / f"{name}.ckpt").is_file()]
        for name in present:
            checkpoint = read_checkpoint(self.checkpoints / f"{name}.ckpt")
            module.network.load_trainable_state(generator_state(checkpoint))
            module.export(self.directory / name, checkpoint["dgsr"]["step"])
            if self.s3diff and isinstance(module.network, OneStepGenerator):
                upscaler = as_restoration(module).upscaler
                inference = {"scale": upscaler.scale, "guidance": upscaler.guidance}
                save_s3diff(module.network, self.directory / f"{name}.pkl", **inference)
        module.network.load_trainable_state(trained)
