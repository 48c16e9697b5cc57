"""Draws depend on seed and purpose alone."""

import os

import torch

from dgsr.seeds import rng, torch_generator


def test_draws_do_not_depend_on_what_was_drawn_before() -> None:
    rng(1, "a").random(100)
    first = rng(2, "b").random(4)
    assert (first == rng(2, "b").random(4)).all()


def test_seeds_and_purposes_give_different_streams() -> None:
    draws = {float(rng(seed, purpose).random()) for seed in range(50) for purpose in ("crop", "flip", "recipe")}
    assert len(draws) == 150


def test_a_purpose_may_be_a_name_that_is_no_text() -> None:
    assert rng(1, os.fsdecode(b"a\xff.png")).random() != rng(1, os.fsdecode(b"a\xfe.png")).random()


def test_tensors_too() -> None:
    first = torch.rand(3, generator=torch_generator(5, "noise"))
    assert torch.equal(first, torch.rand(3, generator=torch_generator(5, "noise")))
