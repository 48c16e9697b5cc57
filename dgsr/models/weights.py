"""Which weights of a generator are trained, and what a checkpoint must hold of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.models.options import GeneratorOptions, Trainable
from dgsr.models.trained import TrainedNetwork, take_over

_FREQUENCIES = "conditioning.frequencies"
_DECODER = ("vae.decoder.", "vae.post_quant_conv.")


def holds_decoder(state: Mapping[str, Tensor]) -> bool:
    """Tell whether a generator's state has the VAE's decoder in it."""
    return any(name.startswith(_DECODER) for name in state)


class TrainableWeights(TrainedNetwork):
    """Choose, save and load the trained part of a generator."""

    options: GeneratorOptions
    trainable: Trainable

    def set_trainable(self, which: Trainable) -> None:
        """Train the adapter alone, the VAE's decoder too, or every weight; the adapter is active in any case."""
        self.trainable = which
        names = dict(self.trained_parameters())
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name in names)

    def trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Walk over the parameters in training by name."""
        parts = ["conditioning."]
        if self.options.train_conv_in:
            parts.append("unet.conv_in.")
        if self.trainable == "with_decoder":
            parts += _DECODER
        for name, parameter in self.named_parameters():
            if self.trainable == "all" or ".lora_" in name or name.startswith(tuple(parts)):
                yield name, parameter

    def trainable_state(self) -> dict[str, Tensor]:
        """Return what training changes, by name, and the frequencies it is tied to."""
        return {**super().trainable_state(), _FREQUENCIES: self.get_buffer(_FREQUENCIES)}

    @torch.no_grad()
    def move_toward(self, other: TrainableWeights, share: float) -> None:
        """Take trained weights from between one's own and another generator's of the same networks and ranks.

        Between a model trained for what people see and one trained for fidelity lie some with less of either's faults.

        Args:
            other: May have trained less, the adapter alone say; what it left frozen counts as it is.
            share: How far to go: 0 changes nothing, 1 arrives at the other.

        Raises:
            UserError: The other has other networks or ranks.

        Source: Wang et al., ESRGAN, Sec. 3.4.
        """
        ours, theirs = self.every_weight(), other.every_weight()
        trained = self.trainable_state()
        fits = {name: w.shape for name, w in ours.items()} == {name: w.shape for name, w in theirs.items()}
        fits = fits and all(torch.equal(ours[name], theirs[name]) for name in ours.keys() - trained.keys())
        remedy = "Both must stand on one backbone, with the same ranks."
        expect(fits, "two generators over the same frozen weights", "others", remedy)
        self.load_trainable_state({name: weight.lerp(theirs[name], share) for name, weight in trained.items()})

    def every_weight(self) -> dict[str, Tensor]:
        """Return all weights by name, the frozen ones too."""
        return {name: p.detach() for name, p in self.named_parameters()} | {_FREQUENCIES: self.get_buffer(_FREQUENCIES)}

    def load_every_weight(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `every_weight` returned.

        Raises:
            UserError: Names or shapes differ.
        """
        take_over(self.every_weight(), state)
