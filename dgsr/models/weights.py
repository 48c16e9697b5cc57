"""Which weights of a generator are trained, and what a checkpoint must hold of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from dgsr.models.options import GeneratorOptions, Trainable
from dgsr.models.trained import TrainedNetwork, take_over

_FREQUENCIES = "conditioning.frequencies"


class TrainableWeights(TrainedNetwork):
    """Choose, save and load the trained part of a generator."""

    options: GeneratorOptions
    trainable: Trainable

    def set_trainable(self, which: Trainable) -> None:
        """Train the adapter alone, or every weight of the networks too; the adapter is active either way."""
        self.trainable = which
        names = dict(self.trained_parameters())
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name in names)

    def trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Walk over the parameters in training by name."""
        for name, parameter in self.named_parameters():
            is_adapter = ".lora_" in name or name.startswith("conditioning.")
            if (
                self.trainable == "all"
                or is_adapter
                or (self.options.train_conv_in and name.startswith("unet.conv_in."))
            ):
                yield name, parameter

    def trainable_state(self) -> dict[str, Tensor]:
        """Return what training changes, by name, and the frequencies it is tied to."""
        return {**super().trainable_state(), _FREQUENCIES: self.get_buffer(_FREQUENCIES)}

    def every_weight(self) -> dict[str, Tensor]:
        """Return all weights by name, the frozen ones too."""
        return {name: p.detach() for name, p in self.named_parameters()} | {_FREQUENCIES: self.get_buffer(_FREQUENCIES)}

    def load_every_weight(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `every_weight` returned.

        Raises:
            UserError: Names or shapes differ.
        """
        take_over(self.every_weight(), state)
