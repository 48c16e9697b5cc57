"""Options of a generator: refusals, and how functions take them."""

from __future__ import annotations

import inspect

import pytest

from dgsr.checks import UserError
from dgsr.models.options import GeneratorOptions, takes_options


@takes_options(unet_rank=5)
def build(path: str, *, options: GeneratorOptions) -> tuple[str, GeneratorOptions]:
    """Build."""
    return path, options


def test_defaults_are_the_papers_unless_a_function_has_its_own():
    path, options = build("here", alpha=2.0)
    assert path == "here"
    assert (options.unet_rank, options.vae_rank, options.alpha) == (5, 16, 2.0)


def test_options_stand_in_the_signature():
    parameters = inspect.signature(build, eval_str=True).parameters
    assert list(parameters)[:2] == ["path", "unet_rank"]
    assert "options" not in parameters
    assert parameters["unet_rank"].default == 5
    assert parameters["seed"].annotation is int


def test_a_misspelt_option_is_an_error():
    with pytest.raises(TypeError, match="unet_rnak"):
        build("here", unet_rnak=4)


@pytest.mark.parametrize(("option", "value"), [("unet_rank", 0), ("vae_rank", -1)])
def test_refusals_name_the_option(option, value):
    with pytest.raises(UserError, match=rf"generator\.{option}"):
        GeneratorOptions(**{option: value})


def test_targets_are_a_named_set_or_spelt_out():
    assert "ff.net.2" in GeneratorOptions().resolved_unet_targets
    assert GeneratorOptions(unet_targets="attention").resolved_unet_targets == ["to_k", "to_q", "to_v", "to_out.0"]
    assert GeneratorOptions(unet_targets=["conv1"]).resolved_unet_targets == ["conv1"]
    assert GeneratorOptions(vae_targets=r"^encoder\..*conv$").resolved_vae_targets == r"^encoder\..*conv$"
