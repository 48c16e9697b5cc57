"""Test that draws depend only on seed and purpose."""

import os

import torch

from dgsr.seeds import rng, torch_generator


def test_draws_do_not_depend_on_earlier_draws() -> None:
    rng(1, "a").random(100)
    first = rng(2, "b").random(4)
    assert (first == rng(2, "b").random(4)).all()


def test_seeds_and_purposes_give_different_streams() -> None:
    draws = {float(rng(seed, purpose).random()) for seed in range(50) for purpose in ("crop", "flip", "recipe")}
    assert len(draws) == 150


def test_purpose_may_be_an_undecodable_file_name() -> None:
    assert rng(1, os.fsdecode(b"a\xff.png")).random() != rng(1, os.fsdecode(b"a\xfe.png")).random()


def test_torch_generator_depends_only_on_seed_and_purpose() -> None:
    first = torch.rand(3, generator=torch_generator(5, "noise"))
    assert torch.equal(first, torch.rand(3, generator=torch_generator(5, "noise")))
