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
    """Fixed pairs for training; the stream's seed is only used for the objective's random choices."""

    def __init__(self, pairs: Any) -> None:
        self.pairs = pairs

    def __getitem__(self, drawn: tuple[int, int]) -> dict[str, Any]:
        index, seed = drawn
        return self.pairs[index] | {"seed": torch.tensor(seed)}


def leave_group(worker: int) -> None:
    """Leave the process group, so that Ctrl-C reaches only the main process, which still needs its workers' batches."""
    os.setpgid(0, 0)


def accumulation(global_batch: int, devices: int, micro_batch: int) -> int:
    """Return the number of forwards per step on each device.

    >>> accumulation(64, devices=4, micro_batch=4)
    4

    Raises:
        UserError: The micro batches cannot all be of the same size.
    """
    share = global_batch // devices
    size = min(share, micro_batch)
    even = size > 0 and share * devices == global_batch and share % size == 0
    unit = devices * micro_batch
    expected = f"data.global_batch as a multiple of {devices} (devices) · {micro_batch} (run.micro_batch) = {unit}"
    expect(even, expected, global_batch, f"Choose {global_batch // unit * unit or unit}, or a smaller run.micro_batch.")
    return share // size


class SyntheticData(lightning.LightningDataModule):
    """Photographs degraded on the fly, identically for any number of workers and ranks.

    Args:
        train: The photographs to train on.
        val: The validation set, or its pairs; None if there are only named sets.
        real: Real pairs that replace a fraction of the synthetic ones.
        val_sets: Further validation sets, by name.
        val_seed: Seed of the fixed degradations, separate from `seed` so that runs of several seeds are comparable.
        degradation: The distribution from which each sample's degradation is drawn.
        degrade_on: Where training crops are degraded: in the workers that load them, or on the training device. The
            recipes are the same; on a GPU the random numbers of the noise differ. Validation pairs are always degraded
            in workers.
        degradation_backend: The operators' implementation: dgsr, or BasicSR's for comparison.
        crop_px: Side of the square training crop.
        val_crop_px: Side of the centre crop in validation; None uses the whole photograph.
        global_batch: Samples of one step, over all ranks.
        seed: Seed of the stream of samples.
        num_workers: Processes that load and degrade, per rank.
        max_broken_fraction: Share of unreadable photographs above which the run stops.
        overfit_images: If set, train and validate on this many fixed crops only.
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
            expected = f"data.overfit_images of 1 to {len(train)}, the number of photographs"
            expect(0 < overfit_images <= len(train), expected, overfit_images)
            fixed = FixedPairs(train, crop_px, self.degrade, seed, multiple, reflected=True)
            pairs = Subset(fixed, range(overfit_images))
            self.train_pairs, sets = Memorised(pairs), {"": pairs}
        for name, val_set in sets.items():
            if isinstance(val_set, ValidationSet):
                key = f"data.val_sets.{name}" if name else "data.val"
                sets[name] = val_set.open(self.degrade, val_crop_px, val_seed, key)
        self.val_pairs = ValidationPairs(sets)
        self.stream = SampleStream(overfit_images, seed) if overfit_images else stream_of(train, seed)
        self.broken = BrokenFiles(len(train) + (real.length if real else 0), max_broken_fraction)
        self._train, self._real = train, real

    def fingerprint(self) -> str:
        """Return a hash that changes when the photographs to train on do."""
        synthetic = self._train.fingerprint()
        return synthetic if self._real is None else f"{synthetic} {self._real.fingerprint()}"

    def setup(self, stage: str) -> None:
        """Refuse a batch or a validation set that cannot be shared between the processes."""
        assert self.trainer is not None
        num_processes, num_images = self.trainer.world_size, len(self.val_pairs)
        expected = f"one validation image for each of {num_processes} processes"
        remedy = "Add images to data.val, or use fewer devices."
        expect(num_images >= num_processes, expected, num_images, remedy)
        micro_batch = int(self.trainer.lightning_module.micro_batch)  # type: ignore[arg-type] (as torch types a module's attributes)
        accumulation(self.global_batch, self.trainer.world_size, micro_batch)

    def train_dataloader(self) -> DataLoader[Any]:
        """Load the stream from the module's position."""
        assert self.trainer is not None
        world_size, rank = self.trainer.world_size, self.trainer.global_rank
        position = int(self.trainer.lightning_module.position)  # type: ignore[arg-type] (as torch types a module's attributes)
        return self.train_dataloader_from(position, rank, world_size)

    def train_dataloader_from(self, position: int, rank: int = 0, world_size: int = 1) -> DataLoader[Any]:
        """Load the stream of one rank, starting at a global position."""
        batches = RankStream(self.stream, self.global_batch // world_size, rank, world_size, position)
        return self._loader(self.train_pairs, batch_sampler=batches)

    def val_dataloader(self) -> DataLoader[Any]:
        """Load this rank's share of the validation pairs, one at a time since their sizes differ."""
        assert self.trainer is not None
        share = Share(len(self.val_pairs), self.trainer.global_rank, self.trainer.world_size)
        return self._loader(self.val_pairs, sampler=share, batch_size=1)

    def _loader(self, pairs: Dataset[Any], **order: Any) -> DataLoader[Any]:
        pinned = torch.cuda.is_available()
        loading: dict[str, Any] = {"collate_fn": collate, "pin_memory": pinned, "worker_init_fn": leave_group}
        return DataLoader(pairs, num_workers=self.num_workers, **loading, **order)

    def on_after_batch_transfer(self, batch: Mapping[str, Any], dataloader_idx: int) -> Mapping[str, Any]:
        """Degrade crops that the workers did not, and stop the run if too many photographs are unreadable."""
        self.broken.report(batch["broken"])
        return batch if isinstance(batch.get("lq"), torch.Tensor) else self.degrade.batch(batch)
