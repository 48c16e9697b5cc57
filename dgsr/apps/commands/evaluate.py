"""`dgsr evaluate`: measure a folder of restored images."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> ArgumentParser:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "evaluate",
        help="measure restored images",
        description="Measure a folder of restored images, with 95 % intervals, and paired tests against another. "
        "Images of one name belong together, whatever their endings and whatever programs append (_out, x4, _HR). "
        "To measure a model: "
        "dgsr evaluate key=value ..., as evaluate.py does.",
    )
    parser.add_argument("--sr", type=Path, required=True, metavar="DIR", help="restored images")
    parser.add_argument("--hq", type=Path, metavar="DIR", help="true images")
    parser.add_argument("--lq", type=Path, metavar="DIR", help="degraded images, to measure bicubic resizing beside")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another method's restored images")
    parser.add_argument(
        "--metrics",
        default="psnr,ssim,lpips,dists,niqe",
        help="of psnr, ssim, lpips, lpips_vgg, dists, niqe, fid; and of musiq, maniqa, clipiqa, topiq and pyiqa:NAME, "
        "any of pyiqa's own, where that is installed, whose licence forbids commercial use (default: %(default)s)",
    )
    parser.add_argument("--channel", choices=("y", "rgb"), default="y", help="of psnr and ssim (default: y)")
    parser.add_argument(
        "--crop-border", type=int, default=0, metavar="PX", help="cut off for psnr and ssim (default: 0)"
    )
    parser.add_argument(
        "--features",
        default="auto",
        metavar="PATH",
        help="where LPIPS and DISTS find their weights: auto, torchvision (downloads), offline, or a path "
        "(default: auto)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, … (default: auto)")
    for kind in ("json", "csv", "html"):
        parser.add_argument(f"--{kind}", type=Path, metavar="FILE", help=f"write the results as {kind.upper()}")
    return parser


def run(arguments: Namespace) -> None:
    """Measure the images one by one; report unreadable ones at the end."""
    from dgsr.apps.config.composing import composed
    from dgsr.apps.config.quoting import quoted
    from dgsr.apps.runs.evaluation_output import build_suite, measure_all, publish
    from dgsr.evaluation import RestoredFolder
    from dgsr.evaluation.ranks import device_of_rank, joined

    roots = _given(arguments, ("sr", "hq", "lq", "against"))
    names = ",".join(map(quoted, arguments.metrics.split(",")))
    options = {"channel": arguments.channel, "crop_border_px": arguments.crop_border}
    metrics = [f"metrics.names=[{names}]", *(f"metrics.{key}={value}" for key, value in options.items())]
    no_model = ["ckpt_path=none", "inference.guidance=1"]  # by default it is the model's own
    cfg = composed("evaluate", [*no_model, f"features={quoted(arguments.features)}", *metrics])
    suite = build_suite(cfg.metrics)
    samples = RestoredFolder(roots)
    suite = suite if "hq" in roots else suite.without_reference()
    with joined() as ranks:
        device = device_of_rank(arguments.device, ranks)
        suite = suite.to(device)
        results = measure_all(samples, suite, {role: str(root) for role, root in roots.items()}, device, ranks)
    if results is not None:
        publish(results, samples, _given(arguments, ("csv", "json", "html")), f"Evaluation of {arguments.sr}")


def _given(arguments: Namespace, names: Sequence[str]) -> dict[str, Path]:
    return {name: path for name in names if (path := getattr(arguments, name)) is not None}
