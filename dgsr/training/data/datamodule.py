"""The data of a run: synthetic and real pairs for training, fixed or real pairs for validation."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import lightning
import torch
from torch.utils.data import DataLoader, Dataset, Sampler, Subset

from dgsr.checks import expect
from dgsr.data import (
    BrokenFiles,
    FixedPairs,
    RankStream,
    RealPairs,
    SampleStream,
    SyntheticPairs,
    WithRealPairs,
    collate,
    stream_of,
)
from dgsr.data.pairs import Pair
from dgsr.data.sources import Source
from dgsr.degradation import Backend, Spec
from dgsr.training.data.degrading import Degrade
from dgsr.training.data.validation_sets import ValidationPairs, ValidationSet


class Share(Sampler[int]):
    """One rank's share of a finite set, without the repetition that pads the last batch."""

    def __init__(self, size: int, rank: int, world_size: int) -> None:
        self.indices = range(rank, size, world_size)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)


class Memorised(Dataset[Any]):
    """Fixed pairs for training: the stream's seed is kept for the choices of the objective alone."""

    def __init__(self, pairs: Any) -> None:
        self.pairs = pairs

    def __getitem__(self, drawn: tuple[int, int]) -> dict[str, Any]:
        index, seed = drawn
        return self.pairs[index] | {"seed": torch.tensor(seed)}


def leave_group(worker: int) -> None:
    """Let Ctrl-C reach the main process alone, which has use for what its workers still load before it saves."""
    os.setpgid(0, 0)


def accumulation(global_batch: int, devices: int, micro_batch: int) -> int:
    """Return how many forwards make up one step on each device.

    >>> accumulation(64, devices=4, micro_batch=4)
    4

    Raises:
        UserError: They cannot all be of the same size.
    """
    share = global_batch // devices
    size = min(share, micro_batch)
    even = size > 0 and share * devices == global_batch and share % size == 0
    unit = devices * micro_batch
    what = f"data.global_batch as a multiple of {devices} (devices) · {micro_batch} (run.micro_batch) = {unit}"
    expect(even, what, global_batch, f"Choose {global_batch // unit * unit or unit}, or a smaller run.micro_batch.")
    return share // size


class SyntheticData(lightning.LightningDataModule):
    """Photographs degraded on the fly, the same for any number of workers and ranks.

    Args:
        train: The photographs to train on.
        val: What to validate on: a set, or pairs; None if there are named sets alone.
        real: Real pairs that take the place of a fraction of the synthetic ones.
        val_sets: Further sets to validate on, by name.
        val_seed: Seeds the fixed degradations; apart from `seed`, so that runs of several seeds compare.
        degradation: What is drawn for each sample.
        degrade_on: Where training crops are degraded: by the workers that load them, or where they are trained on.
            The recipes are the same; on a GPU the noise has other numbers. Validation pairs are always the workers'.
        degradation_backend: Whose operators degrade: ours, or BasicSR's for comparison.
        crop_px: Side of the square training crop.
        val_crop_px: Side of the centre crop in validation; None keeps the whole photograph.
        global_batch: Samples of one step, over all ranks.
        seed: Seeds the stream of samples.
        num_workers: Processes that load and degrade, per rank.
        max_broken_fraction: Share of unreadable photographs above which the run stops.
        overfit_images: If set, train and validate on that many fixed crops alone.
    """

    def __init__(
        self,
        train: Source,
        val: ValidationSet | Dataset[Pair] | None,
        degradation: Spec,
        crop_px: int,
        global_batch: int,
        seed: int,
        real: RealPairs | None = None,
        val_sets: Mapping[str, ValidationSet] | None = None,
        val_crop_px: int | None = None,
        val_seed: int = 0,
        num_workers: int = 0,
        max_broken_fraction: float = 0.01,
        overfit_images: int | None = None,
        degrade_on: Literal["workers", "accelerator"] = "workers",
        degradation_backend: Backend = "dgsr",
    ) -> None:
        super().__init__()
        multiple = degradation.scale
        fits = crop_px > 0 and crop_px % multiple == 0
        expect(fits, f"data.crop_px as a multiple of the scale {multiple}", crop_px)
        expect(num_workers >= 0, "data.num_workers of 0 or more", num_workers)
        expect(global_batch > 0, "data.global_batch above 0", global_batch)
        self.global_batch, self.num_workers = global_batch, num_workers
        self.degrade = Degrade(degradation, degradation_backend)
        self.crops = SyntheticPairs(train, crop_px, None)
        self.train_pairs: Dataset[Any] = self.crops
        if degrade_on == "workers":
            self.train_pairs = SyntheticPairs(train, crop_px, self.degrade)
        if real is not None:
            expect(overfit_images is None, "data.real or data.overfit_images", "both", "Set data.real.fraction=0.")
            self.train_pairs = WithRealPairs(self.train_pairs, real)
        sets: dict[str, Any] = {"": val} if val is not None else {}
        sets |= val_sets or {}
        if overfit_images is not None:
            what = f"data.overfit_images of 1 to {len(train)}, the number of photographs"
            expect(0 < overfit_images <= len(train), what, overfit_images)
            fixed = FixedPairs(train, crop_px, self.degrade, seed, multiple, reflected=True)
            pairs = Subset(fixed, range(overfit_images))
            self.train_pairs, sets = Memorised(pairs), {"": pairs}
        for name, one in sets.items():
            if isinstance(one, ValidationSet):
                key = f"data.val_sets.{name}" if name else "data.val"
                sets[name] = one.open(self.degrade, val_crop_px, val_seed, key)
        self.val_pairs = ValidationPairs(sets)
        self.stream = SampleStream(overfit_images, seed) if overfit_images else stream_of(train, seed)
        self.broken = BrokenFiles(len(train) + (real.length if real else 0), max_broken_fraction)
        self._train, self._real = train, real

    def fingerprint(self) -> str:
        """Return a hash that changes when the photographs to train on do."""
        synthetic = self._train.fingerprint()
        return synthetic if self._real is None else f"{synthetic} {self._real.fingerprint()}"

    def setup(self, stage: str) -> None:
        """Refuse what cannot be shared between the processes, before anything is computed."""
        assert self.trainer is not None
        num_processes, num_images = self.trainer.world_size, len(self.val_pairs)
        what = f"one image to validate on for each of {num_processes} processes"
        expect(num_images >= num_processes, what, num_images, "Name more of them in data.val, or take fewer devices.")
        micro_batch = int(self.trainer.lightning_module.micro_batch)  # type: ignore[arg-type] (as torch types a module's attributes)
        accumulation(self.global_batch, self.trainer.world_size, micro_batch)

    def train_dataloader(self) -> DataLoader[Any]:
        """Load the stream from where the module's position stands."""
        assert self.trainer is not None
        world_size, rank = self.trainer.world_size, self.trainer.global_rank
        position = int(self.trainer.lightning_module.position)  # type: ignore[arg-type] (as torch types a module's attributes)
        return self.train_dataloader_from(position, rank, world_size)

    def train_dataloader_from(self, position: int, rank: int = 0, world_size: int = 1) -> DataLoader[Any]:
        """Load the stream of one rank from a global position on."""
        batches = RankStream(self.stream, self.global_batch // world_size, rank, world_size, position)
        return self._loader(self.train_pairs, batch_sampler=batches)

    def val_dataloader(self) -> DataLoader[Any]:
        """Load this rank's share of the validation pairs, one by one since their sizes differ."""
        assert self.trainer is not None
        share = Share(len(self.val_pairs), self.trainer.global_rank, self.trainer.world_size)
        return self._loader(self.val_pairs, sampler=share, batch_size=1)

    def _loader(self, pairs: Dataset[Any], **order: Any) -> DataLoader[Any]:
        pinned = torch.cuda.is_available()
        loading: dict[str, Any] = {"collate_fn": collate, "pin_memory": pinned, "worker_init_fn": leave_group}
        return DataLoader(pairs, num_workers=self.num_workers, **loading, **order)

    def on_after_batch_transfer(self, batch: Mapping[str, Any], dataloader_idx: int) -> Mapping[str, Any]:
        """Degrade what the workers have not, and count unreadable photographs in the process that can stop the run."""
        self.broken.report(batch["broken"])
        return batch if isinstance(batch.get("lq"), torch.Tensor) else self.degrade.batch(batch)
