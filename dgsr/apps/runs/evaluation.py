"""Run an evaluation from its composed config: restore images with a model, and measure them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from rich.console import Console

from dgsr import __version__
from dgsr.apps.commands.model_arguments import source_of
from dgsr.apps.config.checking import check
from dgsr.apps.config.schema import EvaluateConfig
from dgsr.apps.runs.degraded_set import fixed_pairs
from dgsr.apps.runs.evaluation_output import build_suite, measure_all, publish
from dgsr.apps.runs.record import write_record
from dgsr.apps.runs.training import quiet_libraries
from dgsr.checkpoints import Model, load_model
from dgsr.checks import UserError, expect
from dgsr.data import FixedPairs, LqFolder, PairedFolders, open_source
from dgsr.degradation import preset
from dgsr.evaluation import Restoring, expect_same_settings
from dgsr.evaluation.ranks import Ranks, device_of_rank, joined
from dgsr.evaluation.restoring import Degraded
from dgsr.inference.memory import upscale_with_room
from dgsr.inference.upscaler import expect_estimator
from dgsr.ops.precision import expect_computable


def run_evaluation(cfg: DictConfig) -> dict[str, float]:
    """Evaluate as the config says; write images, tables and a page to the run's folder, and return the averages.

    Images that an earlier call restored there are skipped. The processes of one torchrun share the images.

    Raises:
        UserError: The config, the model or the folders cannot be used, or some of the images.
    """
    with open_dict(cfg):
        if cfg.inference.guidance is None:
            cfg.inference.pop("guidance")
    check(cfg, EvaluateConfig)
    cfg.ckpt_path = source_of(cfg.ckpt_path, Path(cfg.paths.logs))
    quiet_libraries()
    with joined() as ranks:
        return _evaluate(cfg, ranks)


def _evaluate(cfg: DictConfig, ranks: Ranks) -> dict[str, float]:
    run = ranks.gather([Path(cfg.paths.run)])[0]  # ranks may start in different seconds
    device = device_of_rank(cfg.device, ranks)
    suite = build_suite(cfg.metrics).to(device)
    suite = suite if cfg.data.eval.hq else suite.without_reference()
    model = load_model(cfg.ckpt_path, cfg.backbone, cfg.estimator_path, cfg.weights)
    with open_dict(cfg):
        cfg.inference.setdefault("guidance", model.guidance)
    scale = cfg.inference.get("scale", model.scale)
    networks = {"generator": model.generator, "estimator": expect_estimator(model)}
    networks = {name: network.to(device).eval() for name, network in networks.items()}
    upscaler = instantiate(cfg.inference)(**networks, guidance=cfg.inference.guidance, scale=scale)
    expect_computable(upscaler.precision, device)
    degraded = open_degraded(cfg.data.eval, scale)
    settings = _settings(cfg, model)
    _agreed(lambda: expect_same_settings(run, settings), ranks)
    if ranks.first:
        write_record(run, cfg)
        hint = f"Images go to {run / 'sr'}. Run the same command with paths.run={run} to resume."
        Console(stderr=True).print(hint, soft_wrap=True, highlight=False, markup=False)
    keep = ("hq",) if isinstance(degraded, FixedPairs) else ()
    samples = Restoring(degraded, partial(upscale_with_room, upscaler), run, keep, device)
    results = measure_all(samples, suite, {key: str(value) for key, value in settings.items()}, device, ranks)
    if results is None:
        return {}
    files = {"csv": run / "metrics.csv", "json": run / "metrics.json", "html": run / "report.html"}
    publish(results, samples, files, f"Evaluation of {cfg.ckpt_path}")
    return {name: average.interval.mean for name, average in results.averages["sr"].items() if average is not None}


def open_degraded(data: DictConfig, scale: int | float) -> Degraded:
    """Open pairs of folders, a folder of degraded images, or sharp images which are degraded as they are read.

    Raises:
        UserError: No folder is given, or one cannot be used.
    """
    fits = not data.lq or data.crop_px is None
    got = f"{data.crop_px} beside data.eval.lq"
    expect(fits, "data.eval.crop_px only without data.eval.lq", got, "Leave one of them out.")
    if data.lq and not data.hq:
        return LqFolder(data.lq)
    expect(float(scale).is_integer(), "a whole inference.scale with data.eval.hq", scale)
    scale = int(scale)
    if data.lq:
        return PairedFolders(data.lq, data.hq, scale)
    expect(bool(data.hq), "data.eval.lq, data.eval.hq, or both", "neither", "Name a folder of images.")
    source = open_source(str(data.hq), key="data.eval.hq")
    return fixed_pairs(source, data.crop_px, preset(data.preset, scale=scale), data.seed, "data.eval.crop_px")


def _agreed(demand: Callable[[], None], ranks: Ranks) -> None:
    """Check something on the first rank, and refuse on all of them if it fails."""
    refused = None
    if ranks.first:
        try:
            demand()
        except UserError as error:
            refused = str(error)
    sentence = ranks.gather([refused])[0]
    if sentence is not None:
        raise UserError(sentence)


def _settings(cfg: DictConfig, model: Model) -> Mapping[str, object]:
    """Return everything that restored images depend on; a fingerprint, since a name may mean other weights later."""
    nodes = {key: OmegaConf.to_container(cfg[key], resolve=True) for key in ("inference", "data")}
    plain = {key: cfg[key] for key in ("ckpt_path", "weights", "backbone", "estimator_path")}
    return {"dgsr": __version__, **plain, "networks": model.fingerprint(), **nodes}
