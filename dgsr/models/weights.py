"""Choose, save and load the trained weights of a generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.models.adapters.options import conditioning_name
from dgsr.models.options import GeneratorOptions, Trainable
from dgsr.models.trained import TrainedNetwork
from dgsr.tensors import copy_tensors

_DECODER = ("vae.decoder.", "vae.post_quant_conv.")


def holds_decoder(state: Mapping[str, Tensor]) -> bool:
    """Return whether a generator's state has the VAE's decoder in it."""
    return any(name.startswith(_DECODER) for name in state)


class TrainableWeights(TrainedNetwork):
    """Choose, save and load the trained part of a generator."""

    options: GeneratorOptions
    trainable: Trainable

    def set_trainable(self, which: Trainable) -> None:
        """Train the adapters alone, the VAE's decoder too, or every weight; the adapters are active in any case."""
        self.trainable = which
        names = dict(self.trained_parameters())
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name in names)

    def trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Walk over the parameters in training by name."""
        parts = [f"{conditioning_name(name)}." for name in self.options.adapters]
        if self.options.train_conv_in:
            parts.append("unet.conv_in.")
        if self.trainable == "with_decoder":
            parts += _DECODER
        for name, parameter in self.named_parameters():
            if self.trainable == "all" or ".lora_" in name or name.startswith(tuple(parts)):
                yield name, parameter

    def trainable_state(self) -> dict[str, Tensor]:
        """Return the tensors that training changes, by name, and the frequencies they belong to."""
        return {**super().trainable_state(), **self._frequencies()}

    @torch.no_grad()
    def move_toward(self, other: TrainableWeights, share: float) -> None:
        """Interpolate the trained weights linearly towards another generator's, over the same networks and ranks.

        Models between one trained for perceptual quality and one trained for fidelity have fewer faults of either.

        Args:
            other: A generator that may have trained fewer weights, such as the adapter alone.
            share: Share of the way to the other: 0 changes nothing, 1 copies the other.

        Raises:
            UserError: The other has different networks or ranks.

        Source: Wang et al., ESRGAN, Sec. 3.4.
        """
        ours, theirs = self.every_weight(), other.every_weight()
        trained = self.trainable_state()
        fits = {name: w.shape for name, w in ours.items()} == {name: w.shape for name, w in theirs.items()}
        fits = fits and all(torch.equal(ours[name], theirs[name]) for name in ours.keys() - trained.keys())
        remedy = "Both must have the same backbone and ranks."
        expect(fits, "two generators over the same frozen weights", "others", remedy)
        self.load_trainable_state({name: weight.lerp(theirs[name], share) for name, weight in trained.items()})

    def every_weight(self) -> dict[str, Tensor]:
        """Return all weights by name, the frozen ones too."""
        return {name: parameter.detach() for name, parameter in self.named_parameters()} | self._frequencies()

    def load_every_weight(self, state: Mapping[str, Tensor]) -> None:
        """Copy what `every_weight` returned.

        Raises:
            UserError: Names or shapes differ.
        """
        copy_tensors(self.every_weight(), state)

    def _frequencies(self) -> dict[str, Tensor]:
        names = [f"{conditioning_name(name)}.frequencies" for name in self.options.adapters]
        return {name: self.get_buffer(name) for name in names}
