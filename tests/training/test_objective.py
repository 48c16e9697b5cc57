"""Test the weighted losses of the objective."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dgsr.checks import UserError
from dgsr.features import DistsDistance, LpipsDistance
from dgsr.losses import L1, Attempt, Charbonnier, Dists, Lpips, Mse
from dgsr.losses.augmentation import augment
from dgsr.training.objective import Objective


def attempt(count: int = 2, side_px: int = 8) -> Attempt:
    sr, target, lq_up = 2 * torch.rand(3, count, 3, side_px, side_px) - 1
    latent = torch.rand(count, 4, 1, 1)
    return Attempt(sr, target, lq_up, torch.rand(count, 2), latent, torch.arange(count) + 3, 0, target)


def test_losses_are_weighted_and_named() -> None:
    losses = {"mse": Mse(), "l1": L1(), "charbonnier": Charbonnier()}
    given = attempt()
    terms = Objective(losses, {"mse": 2.0, "l1": 3.0, "charbonnier": 0.0})(given)
    assert list(terms) == ["mse", "l1"]
    assert torch.isclose(terms["mse"], 2 * (given.sr - given.target).square().mean())
    assert torch.isclose(terms["l1"], 3 * (given.sr - given.target).abs().mean())


def test_perceptual_losses_are_weighted_distances() -> None:
    given = attempt(1, 64)
    terms = Objective({"lpips": Lpips(), "dists": Dists()}, {"lpips": 5.0, "dists": 2.0})(given)
    assert torch.isclose(terms["lpips"], 5 * LpipsDistance("vgg")(given.sr, given.target).mean())
    distance = DistsDistance()((given.sr + 1) / 2, (given.target + 1) / 2)
    assert torch.isclose(terms["dists"], 2 * distance.mean())


def test_perceptual_losses_compare_augmented_images() -> None:
    given = attempt(2, 64)
    terms = Objective({"l1": L1(), "lpips": Lpips(augment=["affine"])}, {"l1": 1.0, "lpips": 1.0})(given)
    assert torch.isclose(terms["l1"], (given.sr - given.target).abs().mean())
    augmented = [augment(images, given.seeds, ["affine"]) for images in (given.sr, given.target)]
    assert torch.isclose(terms["lpips"], LpipsDistance("vgg")(*augmented).mean())
    assert not torch.isclose(terms["lpips"], LpipsDistance("vgg")(given.sr, given.target).mean())


def test_any_function_of_an_attempt_can_be_a_loss() -> None:
    def energy(given: Attempt) -> Tensor:
        assert given.latent is not None
        return given.latent.square().mean()  # a scalar, of the latent

    given = attempt()
    terms = Objective({"energy": energy}, {"energy": 0.5})(given)
    assert given.latent is not None
    assert torch.isclose(terms["energy"], given.latent.square().mean() / 2)


def test_networks_of_losses_follow_the_module() -> None:
    objective = Objective({"lpips": Lpips("alex")}, {"lpips": 1.0}).double()
    assert {parameter.dtype for parameter in objective.parameters()} == {torch.float64}


@pytest.mark.parametrize(
    ("weights", "message"),
    [({"l1": 1.0}, "without the other: l1, mse"), ({"mse": 0.0}, r"a loss with a weight above 0, but got \{'mse': 0")],
)
def test_losses_without_weights_are_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Objective({"mse": Mse()}, weights)
