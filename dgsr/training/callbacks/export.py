"""The end of a run as models: its best and its last, ready to upscale with."""

from __future__ import annotations

from pathlib import Path

import lightning

from dgsr.checkpoints import save_pretrained, save_s3diff
from dgsr.checkpoints.s3diff import expect_s3diff
from dgsr.checkpoints.trainer import read_checkpoint, restore_generator
from dgsr.training.module import module_of


class Export(lightning.Callback):
    """Turn the best and the last checkpoint into folders that `dgsr upscale --model` takes.

    Args:
        directory: Where the folders `best` and `last` are written.
        checkpoints: Where `best.ckpt` and `last.ckpt` lie.
        s3diff: Write `best.pkl` and `last.pkl`, in the authors' format, beside them.
    """

    def __init__(self, directory: str, checkpoints: str, s3diff: bool = False) -> None:
        self.directory, self.checkpoints, self.s3diff = Path(directory), Path(checkpoints), s3diff

    def setup(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Refuse a network that the authors' format cannot hold, before anything is trained.

        Raises:
            UserError: It is such a network.
        """
        if self.s3diff:
            expect_s3diff(module_of(pl_module).generator)

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Export, in the main process; the networks end as they were."""
        if not trainer.is_global_zero:
            return
        generator, upscaler = module_of(pl_module).generator, module_of(pl_module).upscaler
        trained = {name: tensor.clone() for name, tensor in generator.trainable_state().items()}
        present = [name for name in ("best", "last") if (self.checkpoints / f"{name}.ckpt").is_file()]
        for name in present:
            restore_generator(read_checkpoint(self.checkpoints / f"{name}.ckpt"), generator)
            settings = {"scale": upscaler.scale, "guidance": upscaler.guidance}
            save_pretrained(generator, self.directory / name, estimator=upscaler.estimator, **settings)
            if self.s3diff:
                save_s3diff(generator, self.directory / f"{name}.pkl")
        generator.load_trainable_state(trained)
