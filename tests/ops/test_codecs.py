"""Test compression with real encoders."""

from __future__ import annotations

import pytest
import torch

from dgsr.checks import UserError
from dgsr.ops import codecs
from dgsr.ops.codecs import encode_decode


@pytest.mark.parametrize("file_format", ["webp", "avif"])
def test_loss_falls_with_quality(file_format):
    if not codecs.features.check(file_format):
        pytest.skip(f"Pillow without {file_format}")
    coarse = torch.rand(2, 1, 5, 7, generator=torch.Generator().manual_seed(0))
    images = torch.nn.functional.interpolate(coarse, size=(33, 50), mode="bilinear").expand(2, 3, 33, 50)
    errors = [(encode_decode(images, file_format, quality) - images).abs().mean() for quality in (5.0, 50.0, 95.0)]
    assert errors == sorted(errors, reverse=True)
    assert errors[2] < 0.02


def test_missing_format_is_refused(monkeypatch):
    monkeypatch.setattr(codecs.features, "check", lambda name: False)
    with pytest.raises(UserError, match="Pillow with avif support"):
        encode_decode(torch.rand(1, 3, 8, 8), "avif", 50.0)
