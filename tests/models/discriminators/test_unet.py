"""The U-Net discriminator against BasicSR's."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from dgsr.models.discriminators import UNetDiscriminator

IMAGES = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Build BasicSR's from its one file, for importing the package would run all of it."""
    package = importlib.util.find_spec("basicsr")
    if package is None or package.origin is None:
        pytest.skip("basicsr is not installed")
    registry = ModuleType("basicsr.utils.registry")
    vars(registry)["ARCH_REGISTRY"] = SimpleNamespace(register=lambda **_: lambda network: network)
    for name in ("basicsr", "basicsr.utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "basicsr.utils.registry", registry)
    file = Path(package.origin).parent / "archs" / "discriminator_arch.py"
    spec = importlib.util.spec_from_file_location("discriminator_arch", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return module.UNetDiscriminatorSN(3, num_feat=8).eval()


def test_logits_are_basicsrs(theirs: Any) -> None:
    ours = UNetDiscriminator(width=8).eval()
    layers = [ours.first, *ours.down, *ours.up, *ours.refine, ours.last]
    names = {"original": "weight_orig", "0._u": "weight_u", "0._v": "weight_v"}
    for number, layer in enumerate(layers):
        state = theirs.get_submodule(f"conv{number}").state_dict()
        wanted = {name: name.removeprefix("parametrizations.weight.") for name in layer.state_dict()}
        layer.load_state_dict({name: state[names.get(short, short)] for name, short in wanted.items()})
    (logits,) = ours(IMAGES)
    assert logits.std() > 0
    assert torch.allclose(logits, theirs(IMAGES), atol=1e-6)


@pytest.mark.parametrize("size", [(8, 8), (33, 47)])
def test_images_of_any_size(size: tuple[int, int]) -> None:
    images = nn.functional.interpolate(IMAGES, size, mode="bilinear")
    assert UNetDiscriminator(width=4)(images)[0].shape == (2, 1, *size)


def test_weights_depend_on_the_seed_alone() -> None:
    before = torch.get_rng_state()
    first, again, other = (UNetDiscriminator(width=4, seed=seed).eval()(IMAGES)[0] for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
