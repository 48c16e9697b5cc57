"""`dgsr convert`: convert between the authors' format, exported folders and training checkpoints."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from dgsr.apps.commands.model_arguments import add_parts, load, source_of
from dgsr.apps.runs.entry import Advice
from dgsr.checks import expect

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_RESTART = "Remove the incomplete OUT, and run the same command again."
ADVICE = Advice(full=f"Free some space. {_RESTART}", stopped=_RESTART)


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> ArgumentParser:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "convert",
        help="turn a trained model into another format",
        description="Turn a trained model into an exported folder, the authors' format (a name ending in .pkl) or "
        "into a training checkpoint without optimizers (a name ending in .ckpt); optionally "
        "interpolate between two models.",
    )
    parser.add_argument(
        "input",
        metavar="IN",
        help="exported folder, hub id, training checkpoint or s3diff.pkl; last: the newest training run's",
    )
    parser.add_argument("output", type=Path, metavar="OUT", help="folder, name.pkl or name.ckpt")
    add_parts(parser)
    parser.add_argument(
        "--toward", metavar="MODEL", help="move its weights toward those of this one, on the same backbone"
    )
    parser.add_argument("--share", type=float, help="with --toward: how far, from 0 to 1 (default: 0.5)")
    parser.add_argument("--half", action="store_true", help="write an exported folder in fp16, half as large")
    return parser


def run(arguments: Namespace) -> None:
    """Load the model and write it in the format that the output's suffix selects."""
    from dgsr.checkpoints import load_model, save_pretrained, save_s3diff, save_training
    from dgsr.checkpoints.bare import estimator_file

    output: Path = arguments.output
    _expect_free(output)
    folder = output.suffix not in (".pkl", ".ckpt")
    expect(folder or not arguments.half, "--half with a folder to write", output, "Other formats are in fp32.")
    holds_it = output.suffix != ".pkl" or arguments.estimator is None
    remedy = "The authors' format has no place for an estimator: keep its file, and name it where the model is used."
    expect(holds_it, "a folder or name.ckpt to write with --estimator", output, remedy)
    share = 0.5 if arguments.share is None else arguments.share
    expect(0 <= share <= 1, "--share of 0 to 1", share)
    named = arguments.toward is not None or arguments.share is None
    expect(named, "--toward with --share", "none", "Name the other model.")
    model = load(source_of(arguments.input), arguments)
    if arguments.toward is not None:
        other = load_model(source_of(arguments.toward), arguments.backbone)
        model.generator.move_toward(other.generator, share)
    inference = {"scale": model.scale, "guidance": model.guidance}
    match output.suffix:
        case ".pkl":
            save_s3diff(model.generator, output, **inference)
        case ".ckpt":
            if model.estimator is not None:
                _expect_free(estimator_file(output))
            save_training(model.generator, output, estimator=model.estimator, **inference)
        case _:
            save_pretrained(model.generator, output, estimator=model.estimator, half=arguments.half, **inference)


def _expect_free(path: Path) -> None:
    expect(not path.exists(), "a path that does not exist", path, "Remove it, or choose another name.")
