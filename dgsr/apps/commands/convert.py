"""`dgsr convert`: between the authors' file, an exported folder and a training checkpoint."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from dgsr.checks import expect

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> ArgumentParser:
    """Name the arguments."""
    parser = commands.add_parser(
        "convert",
        help="turn a trained model into another format",
        description="Turn a trained model into an exported folder, the authors' format (a name ending in .pkl) or "
        "into a training checkpoint without optimizers (a name ending in .ckpt).",
    )
    parser.add_argument("input", metavar="IN", help="exported folder, hub id, training checkpoint or s3diff.pkl")
    parser.add_argument("output", type=Path, metavar="OUT", help="folder, name.pkl or name.ckpt")
    parser.add_argument("--backbone", metavar="PATH", help="diffusion model, where the recorded one is not here")
    parser.add_argument("--estimator", metavar="FILE", help="weights of the degradation estimator, to go along")
    parser.add_argument(
        "--weights",
        choices=("auto", "raw", "ema"),
        default="auto",
        help="of a training checkpoint: the last step's or their average (default: the average, if there is one)",
    )
    return parser


def run(arguments: Namespace) -> None:
    """Load the model and write it in the format that the output's name asks for."""
    from dgsr.apps.loading import load_model
    from dgsr.checkpoints import save_pretrained, save_s3diff, save_training

    output: Path = arguments.output
    expect(not output.exists(), "a name that is not taken", output, "Remove what is there, or choose another name.")
    model = load_model(arguments.input, arguments.backbone, arguments.estimator, arguments.weights)
    match output.suffix:
        case ".pkl":
            save_s3diff(model.generator, output)
        case ".ckpt":
            save_training(model.generator, output, estimator=model.estimator, scale=model.scale)
        case _:
            save_pretrained(
                model.generator, output, estimator=model.estimator, scale=model.scale, guidance=model.guidance
            )
