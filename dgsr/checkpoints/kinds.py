"""Recognise the three kinds of sources that hold a trained generator, and start from any of them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from torch import Tensor

from dgsr.checkpoints.pretrained import describe, read_weights
from dgsr.checkpoints.s3diff import SETTINGS, s3diff_state
from dgsr.checkpoints.trainer import generator_state, read_checkpoint
from dgsr.checks import expect
from dgsr.models.generator import OneStepGenerator
from dgsr.models.hub import is_stored
from dgsr.models.weights import holds_decoder
from dgsr.tensors import read_plain

Kind = Literal["export", "training", "s3diff"]

_EXPECTED = "an exported folder, a hub id, a training checkpoint or an authors' file (s3diff.pkl)"


def kind_of(source: str | Path) -> Kind:
    """Return the kind of a source by its content.

    Raises:
        UserError: It is none of the three, or holds more than plain tensors.
    """
    path = Path(source)
    if not path.is_file() and is_stored(str(source)):
        return "export"
    content = read_plain(path, _EXPECTED, "Check the path.")
    if SETTINGS.keys() <= content.keys():  # first: files of this format that we write have the key `dgsr` too
        return "s3diff"
    names = ", ".join(map(str, list(content)[:3]))
    expect("dgsr" in content, _EXPECTED, f"{path}, which holds {names}", "Check the path.")
    return "training"


def start_from(generator: OneStepGenerator, source: str | Path) -> None:
    """Copy trained weights into a generator, as the start of its training.

    Args:
        generator: A generator of the same networks, ranks and options as the source's. Its decoder may be trainable
            where the source's was frozen.
        source: An exported folder, a hub id, a training checkpoint or an authors' file.

    Raises:
        UserError: The source cannot be read, or its weights belong to another generator or backbone.
    """
    state, recorded = _weights(source)
    if state.keys() == generator.every_weight().keys():
        frozen = generator.fingerprint()
        generator.load_every_weight(state)
        kept = generator.fingerprint() == frozen  # otherwise the run would save weights over networks stored nowhere
        expected = f"weights for generator.trainable={generator.trainable}"
        expect(kept, expected, f"all weights of other networks in {source}", "Set generator.trainable=all.")
        return
    trainable = generator.trainable
    if trainable == "with_decoder" and not holds_decoder(state):
        generator.set_trainable("adapter")
    generator.load_trainable_state(state)
    same = recorded in (None, generator.fingerprint())
    expect(same, f"the backbone that {source} was trained on", "another one", "Set generator.path to that one.")
    generator.set_trainable(trainable)


def _weights(source: str | Path) -> tuple[dict[str, Tensor], str | None]:
    """Return the weights in a source, and the fingerprint of their backbone, if it is recorded."""
    match kind_of(source):
        case "export":
            return read_weights(source), describe(source)["backbone"]["fingerprint"]
        case "training":
            checkpoint = read_checkpoint(Path(source))
            return generator_state(checkpoint), checkpoint["dgsr"]["fingerprint"]
        case "s3diff":
            return s3diff_state(Path(source)), None
