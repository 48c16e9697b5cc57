"""The three kinds of sources that hold a trained generator: tell them apart, and start from any of them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from torch import Tensor

from dgsr.checkpoints.plain import read_plain
from dgsr.checkpoints.pretrained import describe, read_weights
from dgsr.checkpoints.s3diff import SETTINGS, s3diff_state
from dgsr.checkpoints.trainer import generator_state, read_checkpoint
from dgsr.checks import expect
from dgsr.models.generator import OneStepGenerator
from dgsr.models.hub import is_stored
from dgsr.models.weights import holds_decoder

Kind = Literal["export", "training", "s3diff"]

_WHAT = "an exported folder, a hub id, a training checkpoint or an authors' file (s3diff.pkl)"


def kind_of(source: str | Path) -> Kind:
    """Tell what a source is by what it holds, whatever its name.

    Raises:
        UserError: It is none of the three, or holds more than plain tensors.
    """
    path = Path(source)
    if not path.is_file() and is_stored(str(source)):
        return "export"
    content = read_plain(path, _WHAT, "Check the path.")
    if SETTINGS.keys() <= content.keys():  # first: what we write in that format has a table of our own too
        return "s3diff"
    names = ", ".join(map(str, list(content)[:3]))
    expect("dgsr" in content, _WHAT, f"{path}, which holds {names}", "Check the path.")
    return "training"


def start_from(generator: OneStepGenerator, source: str | Path) -> None:
    """Let a generator start from trained weights.

    Args:
        generator: Of the same networks, ranks and options as what is in the source, whose decoder may have stayed as it
            was while this generator's is to be trained.
        source: An exported folder, a hub id, a training checkpoint or an authors' file.

    Raises:
        UserError: The source cannot be read, or its weights belong to another generator or backbone.
    """
    state, recorded = _weights(source)
    if state.keys() == generator.every_weight().keys():
        frozen = generator.fingerprint()
        generator.load_every_weight(state)
        kept = generator.fingerprint() == frozen  # what a run saves would else belong to networks that lie nowhere
        what = f"weights for generator.trainable={generator.trainable}"
        expect(kept, what, f"all weights of other networks in {source}", "Set generator.trainable=all.")
        return
    wanted = generator.trainable
    if wanted == "with_decoder" and not holds_decoder(state):
        generator.set_trainable("adapter")
    generator.load_trainable_state(state)
    same = recorded in (None, generator.fingerprint())
    expect(same, f"the backbone that {source} was trained on", "another one", "Set generator.path to that one.")
    generator.set_trainable(wanted)


def _weights(source: str | Path) -> tuple[dict[str, Tensor], str | None]:
    """Return the weights in a source, and the print of the backbone they belong to, if it is recorded."""
    match kind_of(source):
        case "export":
            return read_weights(source), describe(source)["backbone"]["fingerprint"]
        case "training":
            checkpoint = read_checkpoint(Path(source))
            return generator_state(checkpoint), checkpoint["dgsr"]["fingerprint"]
        case "s3diff":
            return s3diff_state(Path(source)), None
