"""`dgsr doctor --data`: measure the data loader's throughput by number of workers."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Group
from rich.table import Table

from dgsr.apps.doctor.devices import num_devices
from dgsr.apps.doctor.throughput import Throughput, cores, measure
from dgsr.training.data.datamodule import accumulation

_SECONDS = 4.0


def examine(cfg: DictConfig) -> Group:
    """Measure the loader of a training run, without its networks; some seconds for each number of workers."""
    data, devices = instantiate(cfg.data), num_devices(cfg)
    accumulation(data.global_batch, devices, cfg.run.micro_batch)
    given, available = data.num_workers, cores()
    powers = [2**power for power in range(available.bit_length()) if 2**power <= available]
    throughput = measure(data, sorted({0, given, *powers, available}), _SECONDS)
    on_workers = cfg.data.degrade_on == "workers"
    return Group(
        _table(throughput, data.global_batch // devices, given), *_advice(throughput, given, devices, on_workers)
    )


def _table(throughput: Throughput, share: int, given: int) -> Table:
    """Show rates and, for the samples of one step on one device, the shortest step that never waits."""
    table = Table(title="Samples a second", caption=f"A step takes {share} samples on each device.")
    for heading in ("workers", "samples/s", "a device waits if its step is shorter than"):
        table.add_column(heading, justify="right")
    for workers, rate in throughput.rates.items():
        mark = " (data.num_workers)" if workers == given else ""
        table.add_row(f"{workers}{mark}", f"{rate:.1f}", f"{share / rate:.2f} s")
    return table


def _advice(throughput: Throughput, given: int, devices: int, on_workers: bool) -> Iterator[str]:
    """Explain where the time goes, and suggest changes."""
    milliseconds = f"{throughput.reading * 1e3:.0f} ms to read and crop, {throughput.degrading * 1e3:.0f} ms to degrade"
    where = f"{throughput.degrading_share:.0%} of it degrading" if on_workers else "degraded on the accelerator"
    yield f"One sample takes one core {milliseconds}: {where}."
    enough = throughput.enough_workers()
    if given != enough:
        yield f"data.num_workers={enough} is enough; more gain less than a tenth."
    if devices > 1:
        yield f"Each of {devices} devices has as many workers; those of one machine share its {cores()} cores."
    if on_workers and throughput.degrading_share > 0.5 and torch.cuda.is_available():
        yield "Degrading takes most of the time: data.degrade_on=accelerator moves it to the device that trains."
    if throughput.degrading_share < 0.5:
        yield "Reading takes most of the time: cut large photographs into pieces of about twice data.crop_px once."
