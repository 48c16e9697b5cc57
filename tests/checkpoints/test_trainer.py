"""Training files: whole or absent, plain tensors only, refused for another architecture."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest
import torch

from dgsr.checkpoints.trainer import (
    generator_state,
    read_checkpoint,
    restore_generator,
    under_generator,
    write_checkpoint,
)
from dgsr.checks import UserError
from dgsr.models.generator import OneStepGenerator
from tests import tiny


class Code:
    """What a hostile file could hold."""

    def __reduce__(self) -> Any:
        return (print, ("run",))


def test_trained_tensors_are_restored_bit_for_bit(tmp_path: Path) -> None:
    first, second = OneStepGenerator.tiny(seed=1), OneStepGenerator.tiny(seed=1)
    for parameter in first.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter)
    write_checkpoint({"dgsr": {}, "state_dict": under_generator(first.trainable_state())}, tmp_path / "a.ckpt")
    restore_generator(read_checkpoint(tmp_path / "a.ckpt"), second)
    for (name, ours), theirs in zip(first.named_parameters(), second.parameters(), strict=True):
        assert torch.equal(ours, theirs), name


def test_the_average_is_used_if_present() -> None:
    raw, average = {"generator.a": torch.zeros(1), "discriminator.b": torch.zeros(1)}, {"generator.a": torch.ones(1)}
    both = {"state_dict": raw, "ema": average}
    assert [generator_state(both, weights) for weights in ("auto", "raw", "ema")] == [{"a": n} for n in (1, 0, 1)]
    assert generator_state({"state_dict": raw}) == {"a": 0}
    with pytest.raises(UserError, match=r"run\.ema_decay"):
        generator_state({"state_dict": raw}, "ema")


def test_another_generator_is_refused() -> None:
    state = under_generator(OneStepGenerator.tiny(adapters=tiny.adapters(4, 4)).trainable_state())
    with pytest.raises(UserError, match="names or shapes differ"):
        restore_generator({"state_dict": state}, OneStepGenerator.tiny())


def test_a_file_with_code_is_refused_and_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"dgsr": Code()}, tmp_path / "a.ckpt")
    with pytest.raises(UserError, match="plain tensors"):
        read_checkpoint(tmp_path / "a.ckpt")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 truncated"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.ckpt").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.ckpt"):
        read_checkpoint(tmp_path / "a.ckpt")


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Check ckpt_path"):
        read_checkpoint(tmp_path / "a.ckpt")
    torch.save({"weights": torch.zeros(1)}, tmp_path / "b.ckpt")
    torch.save({"dgsr": {"timestep": 250}, "rank_unet": 8}, tmp_path / "ours.pkl")
    for name in ("b.ckpt", "ours.pkl"):
        with pytest.raises(UserError, match="a training checkpoint of dgsr"):
            read_checkpoint(tmp_path / name)


def test_a_disk_without_room_is_known_by_an_oserror(tmp_path: Path) -> None:
    """From which programs make a sentence; torch keeps none where it opens the file itself."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(RuntimeError) as failure:
            write_checkpoint({"state_dict": {"a": torch.zeros(100_000)}}, tmp_path / "a.ckpt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert isinstance(failure.value.__context__, OSError)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_checkpoint({"dgsr": {"step": 1}, "state_dict": {}}, tmp_path / "a.ckpt")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        write_checkpoint({"dgsr": {"step": 2}}, tmp_path / "a.ckpt")
    monkeypatch.undo()
    assert read_checkpoint(tmp_path / "a.ckpt")["dgsr"]["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.ckpt"]
