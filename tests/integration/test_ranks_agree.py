"""Two ranks with different samples keep the same weights: those of one process with the same global batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.strategies import DDPStrategy

from dgsr.training.loop.module import as_training
from dgsr.training.tasks.restoration import SuperResolution
from tests.small_run import discriminator_of, make_data, make_module, make_trainer

STEPS, BAD_STEP = 5, 2


class Witness(lightning.Callback):
    """Write each rank's weights and counts at the end; let one rank's loss be infinite once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any) -> None:
        module, is_last = pl_module, trainer.global_rank == trainer.world_size - 1
        assert isinstance(module, SuperResolution)
        module.objective.weights["mse"] = float("inf") if is_last and module.step == BAD_STEP else 2.0

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        module = as_training(pl_module)
        state = {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}
        if module.ema is not None:
            state |= {f"ema.{name}": tensor for name, tensor in module.ema.average.items()}
        counts = torch.tensor([module.bad_steps.total, module.step, module.position])
        torch.save(state | {"counts": counts}, self._path(trainer.global_rank))

    def _path(self, rank: int) -> Path:
        return self.folder / f"rank-{rank}.pt"

    def read(self, rank: int) -> dict[str, torch.Tensor]:
        return torch.load(self._path(rank), weights_only=True)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(("update", "global_batch"), [("alternating", 2), ("joint", 4)])
def test_two_ranks_train_as_one(tmp_path: Path, update: str, global_batch: int) -> None:
    ddp = DDPStrategy(start_method="fork", process_group_backend="gloo", find_unused_parameters=True)
    seen = []
    for name, changes in {"one": {}, "two": {"strategy": ddp, "devices": 2, "plugins": []}}.items():
        (tmp_path / name).mkdir()
        module = make_module(STEPS, update, micro_batch=1, ema_decay=0.5, gradient_checkpointing=True)
        discriminator_of(module).eval()  # spectral norms stand still: each rank lets fewer micro batches through
        witness, data = Witness(tmp_path / name), make_data(global_batch=global_batch)
        make_trainer(callbacks=[witness], precision="64-true", **changes).fit(module, data)
        seen.append(witness)

    alone, first, second = seen[0].read(0), seen[1].read(0), seen[1].read(1)
    assert alone["counts"].tolist() == first["counts"].tolist() == [1, STEPS, global_batch * STEPS]
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
        assert torch.allclose(tensor, alone[name], rtol=0, atol=1e-6), name
