"""Estimate the memory of a training step without allocating it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.optim import Optimizer

from dgsr.apps.doctor.live_memory import LiveMemory
from dgsr.training.critics.interface import trained_networks
from dgsr.training.loop.interface import Backward, Batch
from dgsr.training.tasks.restoration import SuperResolution

# glibc's allocator was measured on the CPU to hold back an eighth to a quarter of the live memory in steps of the
# bundled generator, and up to 1.3 times as much in those of the tests' networks.
_HELD_BACK = 0.15


@dataclass(frozen=True)
class Footprint:
    """Bytes at the peak of a step.

    Attributes:
        frozen: Frozen weights, also those of losses and metrics.
        trained: Trained weights.
        optimizers: Optimizer states.
        average: The average of the generator's weights, if there is one.
        gradients: Gradients of the trained weights; with several devices also the copies that they exchange.
        activations: Everything else: tensors kept for the backward pass, and the workspace of operations.
        allocator: An allowance for memory that the allocator holds back between activations of different sizes.
    """

    frozen: int
    trained: int
    optimizers: int
    average: int
    gradients: int
    activations: int
    allocator: int

    @property
    def total(self) -> int:
        """The sum."""
        return sum(getattr(self, field.name) for field in fields(self))


def footprint(
    module: SuperResolution,
    crop_px: int,
    share: int,
    *,
    half: torch.dtype | None = None,
    on_gpu: bool = False,
    all_negative: bool = False,
    distributed: bool = False,
) -> Footprint:
    """Trace one step on tensors that have shapes but no values.

    Args:
        module: The training, which may be on the meta device. Its weights have no values afterwards.
        crop_px: Side of the training crops.
        share: Samples of one step on one device.
        half: Dtype of autocast; None computes in fp32.
        on_gpu: Keep the operations in fp32 that autocast keeps in fp32 on GPUs.
        all_negative: Let all samples be negative instead of none: the worst case of the joint update.
        distributed: Several devices train together.
    """
    # The first backward pass of a process counts its devices once, and would count GPUs under fake tensors.
    torch.zeros((), requires_grad=True).backward()
    with FakeTensorMode(allow_non_fake_inputs=True):
        module.to_empty(device="cpu")
        if half is not None and on_gpu:
            _keep_norms_exact(module)
        weights = [*module.parameters(), *module.buffers()]
        with LiveMemory(weights, all_negative) as memory, torch.autocast("cpu", half, enabled=half is not None):
            loop = _TracedLoop(module)
            module.optimize(_batch(crop_px, share, int(module.upscaler.scale)), loop)
    sizes = {network: _num_bytes(parameters) for network, parameters in loop.trained.items()}
    activations = memory.peak - sizes["generator"]
    return Footprint(
        frozen=_num_bytes(weights) - sum(sizes.values()),
        trained=sum(sizes.values()),
        optimizers=sum(size * _copies(module.settings.optimizer_of(network)) for network, size in sizes.items()),
        average=sizes["generator"] if module.ema is not None else 0,
        gradients=sizes["generator"] + (sum(sizes.values()) if distributed else 0),
        activations=activations,
        allocator=int(_HELD_BACK * activations),
    )


class _TracedLoop:
    """The loop of a traced step: gradients are discarded after each phase, and nothing is logged."""

    def __init__(self, module: SuperResolution) -> None:
        self.step = module.max_steps  # by the end every loss is active
        self.size = module.micro_batch
        networks = {"generator": module.network} | trained_networks(module.critics)
        self.trained = {
            name: [parameter for parameter in network.parameters() if parameter.requires_grad]
            for name, network in networks.items()
        }

    def micro_batches(self, batch: Batch) -> Sequence[Batch]:
        """Take two micro batches: the second adds to the gradients of the first, as all others do."""
        return batch.split(min(self.size, len(batch)))[:2]

    def record(self, values: Mapping[str, Tensor]) -> None:
        pass

    @contextmanager
    def optimizing(self, network: str, num_backwards: int) -> Iterator[Backward]:
        for name, parameters in self.trained.items():
            if name != "generator":
                for parameter in parameters:
                    parameter.requires_grad_(name == network)
        yield lambda losses: torch.stack(list(losses.values())).sum().backward()
        for parameter in self.trained[network]:
            parameter.grad = None


def _batch(crop_px: int, share: int, scale: int) -> dict[str, Any]:
    lq_px = crop_px // scale
    return {
        "hq": torch.empty(share, 3, crop_px, crop_px),
        "lq": torch.empty(share, 3, lq_px, lq_px),
        "seed": torch.empty(share, dtype=torch.long),
        "truth": torch.empty(share, 2),
    }


def _keep_norms_exact(module: nn.Module) -> None:
    """Compute normalizations in fp32, as autocast does on GPUs but not on CPUs."""
    for norm in module.modules():
        if isinstance(norm, nn.GroupNorm | nn.LayerNorm):
            norm.register_forward_pre_hook(lambda _, inputs: (inputs[0].float(), *inputs[1:]))


def _num_bytes(tensors: Iterable[Tensor]) -> int:
    return sum({id(tensor): tensor.nbytes for tensor in tensors}.values())


def _copies(build: Callable[..., Optimizer]) -> int:
    """Count the tensors of a weight's size that an optimizer keeps for it."""
    weight = nn.Parameter(torch.zeros(2, 3))
    weight.grad = torch.ones(2, 3)
    optimizer = build([weight])
    optimizer.step()
    return sum(isinstance(value, Tensor) and value.shape == weight.shape for value in optimizer.state[weight].values())
