"""Which weights of a generator are trained, what a checkpoint must hold of them, and the print of all the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.models.options import GeneratorOptions, Trainable

_FREQUENCIES = "conditioning.frequencies"
_SAMPLES = 1024


class TrainableWeights(nn.Module):
    """Choose, save and load the trained part of a generator."""

    options: GeneratorOptions
    architecture: Mapping[str, object]
    trainable: Trainable

    def set_trainable(self, which: Trainable) -> None:
        """Train the adapter alone, or every weight of the networks too; the adapter is active either way."""
        self.trainable = which
        names = dict(self._trainable_parameters())
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name in names)

    def trainable_state(self) -> dict[str, Tensor]:
        """Return what training changes, by name, and the frequencies it is tied to."""
        tensors = {name: parameter.detach() for name, parameter in self._trainable_parameters()}
        return {**tensors, _FREQUENCIES: self.get_buffer(_FREQUENCIES)}

    def load_trainable_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `trainable_state` returned, here or in another generator of the same kind.

        Raises:
            UserError: Names or shapes differ.
        """
        _take_over(self.trainable_state(), state)

    def every_weight(self) -> dict[str, Tensor]:
        """Return all weights by name, the frozen ones too."""
        return {name: p.detach() for name, p in self.named_parameters()} | {_FREQUENCIES: self.get_buffer(_FREQUENCIES)}

    def load_every_weight(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `every_weight` returned.

        Raises:
            UserError: Names or shapes differ.
        """
        _take_over(self.every_weight(), state)

    def fingerprint(self) -> str:
        """Return a short print of the architecture and of the frozen weights, a thousand numbers of each."""
        digest = hashlib.sha256(json.dumps(self.architecture, sort_keys=True, default=list).encode())
        trained = dict(self._trainable_parameters())
        for name, parameter in self.named_parameters():
            digest.update(f"{name} {tuple(parameter.shape)}".encode())
            if name not in trained:
                stride = max(1, parameter.numel() // _SAMPLES)
                digest.update(parameter.detach().flatten()[::stride].float().cpu().numpy().tobytes())
        return digest.hexdigest()[:16]

    def _trainable_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Walk over the parameters in training by name, for loops over two networks switch `requires_grad` at times."""
        for name, parameter in self.named_parameters():
            is_adapter = ".lora_" in name or name.startswith("conditioning.")
            if (
                self.trainable == "all"
                or is_adapter
                or (self.options.train_conv_in and name.startswith("unet.conv_in."))
            ):
                yield name, parameter


def _take_over(ours: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    shapes, found = ({name: tuple(tensor.shape) for name, tensor in each.items()} for each in (ours, state))
    differing = sorted(name for name in shapes.keys() | found.keys() if shapes.get(name) != found.get(name))
    expect(
        not differing,
        f"weights for the {len(ours)} tensors of this generator",
        f"{len(state)} of which {len(differing)} names or shapes differ ({', '.join(differing[:4])})",
        "Use the backbone, ranks and generator options the weights were trained with.",
    )
    for name, tensor in ours.items():
        tensor.copy_(state[name])
