"""Find the devices that a run would train on, from its config and this machine."""

from __future__ import annotations

import torch
from omegaconf import DictConfig, OmegaConf


def on_gpu(cfg: DictConfig) -> bool:
    """Return whether the run would train on GPUs."""
    accelerator = str(cfg.trainer.accelerator)
    return torch.cuda.is_available() if accelerator == "auto" else accelerator != "cpu"


def num_devices(cfg: DictConfig) -> int:
    """Count the devices of all machines; if the config requests all, count this machine's."""
    devices = cfg.trainer.devices
    if OmegaConf.is_list(devices):
        devices = len(devices)
    if not isinstance(devices, int) or devices < 1:  # -1 means all
        devices = torch.cuda.device_count() if on_gpu(cfg) else 1
    return max(devices, 1) * int(cfg.trainer.num_nodes)
