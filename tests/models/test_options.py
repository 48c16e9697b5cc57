"""Options of a generator: refusals, and the flat options of earlier versions."""

from __future__ import annotations

import dataclasses
from typing import Any, get_type_hints

import pytest

from dgsr.checks import UserError
from dgsr.models.adapters.options import AdapterOptions, Layers
from dgsr.models.options import GeneratorOptions, OptionFields
from tests import tiny

RANKS = {"unet": {"rank": 8}, "vae": {"rank": 4}}


def test_the_keyword_arguments_of_constructors_are_the_fields() -> None:
    assert get_type_hints(OptionFields) == get_type_hints(GeneratorOptions)


def test_plain_mappings_become_adapters_with_the_papers_defaults() -> None:
    options = GeneratorOptions.from_fields({"adapters": {"main": {"unet": {"rank": 4}, "alpha": 2.0}}})
    assert options.adapters == {"main": AdapterOptions(unet=Layers(rank=4), alpha=2.0)}
    assert options.adapters["main"].vae == Layers(rank=16, targets="paper")
    assert GeneratorOptions.from_fields(dataclasses.asdict(options)) == options


def test_flat_options_of_earlier_versions_change_the_main_adapter() -> None:
    flat: dict[str, Any] = {"unet_rank": 4, "vae_targets": "attention", "init": "identity", "seed": 3}
    defaults = {"adapters": {"main": RANKS}, "timestep": 250}
    options = GeneratorOptions.from_fields(flat, **defaults)
    expected = AdapterOptions(unet=Layers(rank=4), vae=Layers(rank=4, targets="attention"), init="identity")
    assert (options.adapters, options.timestep, options.seed) == ({"main": expected}, 250, 3)
    assert defaults["adapters"] == {"main": RANKS}


@pytest.mark.parametrize(
    ("adapters", "sentence"),
    [
        ({"main": {"unet": {"rank": 0}}}, r"generator\.adapters\.main\.unet\.rank"),
        ({"pixel": {"vae": {"rank": -1}}}, r"generator\.adapters\.pixel\.vae\.rank"),
        ({"default": {}}, "name of an adapter"),
        ({"a.b": {}}, "name of an adapter"),
        ({}, "at least one adapter"),
    ],
)
def test_refusals_are_one_sentence(adapters: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=rf"^Expected .*{sentence}.*\.$"):
        GeneratorOptions.from_fields({"adapters": adapters})


@pytest.mark.parametrize("fields", [{"unet_rnak": 4}, {"adapters": {"main": {"rank": 4}}}, {"adapters": {"main": 4}}])
def test_an_unknown_option_is_an_error(fields: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        GeneratorOptions.from_fields(fields)


def test_targets_are_a_named_set_or_listed() -> None:
    backbone = tiny.backbone()
    assert "ff.net.2" in AdapterOptions().targets("unet", backbone)
    named = AdapterOptions(unet=Layers(rank=4, targets="attention"))
    assert named.targets("unet", backbone) == ["to_k", "to_q", "to_v", "to_out.0"]
    assert named.resolved(backbone).unet.targets == ["to_k", "to_q", "to_v", "to_out.0"]
    own = AdapterOptions(unet=Layers(rank=4, targets=("conv1",)), vae=Layers(rank=4, targets=r"^encoder\..*conv$"))
    assert own.targets("unet", backbone) == ["conv1"]
    assert own.targets("vae", backbone) == r"^encoder\..*conv$"
