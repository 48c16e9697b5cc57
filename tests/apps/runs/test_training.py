"""Check the shipped configs, and runs from config to report."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from dgsr.apps.config.annotations import parameters
from dgsr.apps.config.checking import check
from dgsr.apps.config.schema import TrainConfig
from dgsr.apps.config.sources import conf_dir
from dgsr.apps.runs.entry import run_cleanly
from dgsr.apps.runs.record import saved_overrides
from dgsr.apps.runs.training import train
from dgsr.checkpoints import load_model
from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.checks import UserError
from dgsr.models import OneStepGenerator
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.options import GeneratorOptions


def composed(folder: Path, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("train", [f"paths.run={folder}", "trainer=cpu", *overrides])


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


@pytest.mark.parametrize("experiment", names("experiment"))
def test_every_experiment_passes_the_strict_check(tmp_path: Path, experiment: str) -> None:
    given = {
        "paper": ["estimator.path=weights.pth"],
        "prior_denoiser": ["task.denoiser.autoencoder=folder"],
        "prior_one_step": ["task.denoiser.init_from=folder"],
    }
    check(composed(tmp_path, f"experiment={experiment}", *given.get(experiment, [])), TrainConfig)


@pytest.mark.parametrize("debug", names("debug"))
def test_every_debug_setting_passes_the_strict_check(tmp_path: Path, debug: str) -> None:
    check(composed(tmp_path, f"debug={debug}"), TrainConfig)


GROUPS = ["degradation", "discriminator", "optimizer/schedule", "logger", "trainer", "variant"]


@pytest.mark.parametrize("group", GROUPS)
def test_every_choice_of_a_group_passes_the_strict_check(tmp_path: Path, group: str) -> None:
    for name in names(group):
        check(composed(tmp_path, f"{group}={name}"), TrainConfig)


BUILDERS = {"sd_turbo": "from_backbone", "tiny_prior": "from_backbone", "tiny": "tiny"}


@pytest.mark.parametrize("name", BUILDERS)
def test_a_generators_config_names_every_option(tmp_path: Path, name: str) -> None:
    node = OmegaConf.to_container(composed(tmp_path, f"generator={name}").generator)
    assert isinstance(node, dict)
    known = parameters(getattr(OneStepGenerator, BUILDERS[name]))
    assert node.keys() - {"_target_"} == known.keys()
    defaults = dataclasses.asdict(GeneratorOptions())
    changed = {"seed", "trainable"} if name == "sd_turbo" else {"seed", "trainable", "adapters", "timestep"}
    same = defaults.keys() - changed
    assert {key: node[key] for key in same} == {key: defaults[key] for key in same}


def test_the_ablation_runs_every_variant_once(tmp_path: Path) -> None:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        params = compose("train", ["sweep=ablation"], return_hydra_config=True).hydra.sweeper.params
    assert sorted(params.variant.split(",")) == names("variant")


def test_a_variant_wins_over_the_experiment(tmp_path: Path) -> None:
    published = "estimator.path=weights.pth"
    cfg = composed(tmp_path, "experiment=paper", published, "variant=no_gan")
    assert cfg.discriminator is None
    assert composed(tmp_path, "experiment=paper", published, "variant=rank_16").generator.adapters.main.unet.rank == 16


SMALL = ("debug=fdr", "objective.losses.lpips.weight=0", "metrics.names=[psnr]", "callbacks.checkpoints.monitor=psnr")


def _train(folder: Path, *overrides: str) -> float | None:
    return train(composed(folder, *SMALL, *overrides))


def test_a_run_trains_reports_and_resumes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    score = _train(tmp_path)
    assert score is not None
    assert 5 < score < 50
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {"metrics.csv", "curves.png", "report.md", "checkpoints/last.ckpt", "panels/step_0000001.png"} <= files
    assert "bicubic" in capsys.readouterr().out

    with caplog.at_level("INFO", "dgsr.apps.runs.continuation"):
        _train(tmp_path, "resume=last", "run.max_steps=2")
    changes = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Changed")]
    assert changes == ["Changed: run.max_steps 2 instead of 1"]
    checkpoint = read_checkpoint(tmp_path / "checkpoints" / "last.ckpt")
    assert checkpoint["dgsr"]["step"] == 2
    assert [scores["step"] for scores in checkpoint["dgsr"]["validations"]] == [0, 1, 2]

    (tmp_path / "report.md").unlink()
    _train(tmp_path, "resume=last", "run.max_steps=2")  # interrupted after its last step: only the report is missing
    assert (tmp_path / "report.md").is_file()
    assert read_checkpoint(tmp_path / "checkpoints" / "last.ckpt")["dgsr"]["step"] == 2

    with pytest.raises(UserError, match=r"generator\.adapters\.main\.unet\.rank 4 instead of 16"):
        _train(tmp_path / "other", f"ckpt_path={tmp_path}/checkpoints/last.ckpt", "generator.adapters.main.unet.rank=4")


@pytest.mark.slow
def test_a_run_without_validation_saves_a_checkpoint(tmp_path: Path) -> None:
    prior = ("experiment=prior_autoencoder", "debug=fdr", "+trainer.limit_val_batches=0")
    train(composed(tmp_path, *prior, "objective.losses.lpips_alex.weight=0"))
    assert (tmp_path / "checkpoints" / "last.ckpt").is_file()


def test_a_refused_start_leaves_the_record_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HydraConfig, "initialized", lambda: True)

    def start(*overrides: str) -> None:
        task = OmegaConf.create({"overrides": {"task": list(overrides)}})
        monkeypatch.setattr(HydraConfig, "get", lambda: task)
        _train(run, *overrides)

    file, run = tmp_path / "estimator.safetensors", tmp_path / "run"
    given = ["estimator=published", f"estimator.path={file}", "data.val.limit=1"]
    DegradationEstimator.random(0).save(file)
    start(*given)
    DegradationEstimator.random(1).save(file)
    resumed = [*given, "resume=last", "run.max_steps=2"]
    with pytest.raises(UserError, match="estimator with other frozen weights"):
        start(*resumed)
    assert saved_overrides(run) == given
    start(*resumed, "allow_changes=true")
    assert saved_overrides(run) == [*given, "run.max_steps=2"]
    start(*given, "resume=last", "run.max_steps=3")  # the new weights belong to the run now


def test_a_run_without_checkpoints_and_summary_ends_without_a_score(tmp_path: Path) -> None:
    nothing = [f"callbacks.{name}=null" for name in ("checkpoints", "summary", "export", "report", "panels")]
    assert _train(tmp_path, *nothing) is None


def test_init_from_belongs_to_restoration(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="task=restoration with init_from"):
        _train(tmp_path, "experiment=prior_autoencoder", "init_from=a", *SMALL[:1], "objective.losses.l1.weight=1")


def test_a_run_starts_from_the_weights_of_another_with_fresh_optimizers(tmp_path: Path) -> None:
    _train(tmp_path / "first")
    source = tmp_path / "first" / "checkpoints" / "last.ckpt"
    _train(tmp_path / "second", f"init_from={source}", "optimizer.generator.lr=0", "seed=1")
    first, second = (read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("first", "second"))
    generator = {name: t for name, t in first["state_dict"].items() if name.startswith("generator.")}
    assert all(torch.equal(tensor, second["state_dict"][name]) for name, tensor in generator.items())
    assert [second["dgsr"][counter] for counter in ("step", "position")] == [1, 2]
    assert second["optimizer_states"][0]["state"][0]["step"] == 1
    assert "init_from" not in second["dgsr"]["description"]["generator"]

    source.unlink()
    _train(tmp_path / "second", f"init_from={source}", "resume=last", "run.max_steps=2", "seed=1")


def test_train_your_own_backbone_and_a_generator_on_it(tmp_path: Path) -> None:
    measured = ("debug=fdr", "metrics.names=[psnr]", "callbacks.checkpoints.monitor=psnr", "data.val.limit=1")
    pixels = [f"objective.losses.{name}.weight={weight}" for name, weight in {"l1": 1, "lpips_alex": 0}.items()]
    steps = {
        "prior_autoencoder": ["task.autoencoder.widths=[16,24,24,32]", *pixels],
        "prior_denoiser": [f"task.denoiser.autoencoder={tmp_path}/prior_autoencoder/exported/last"],
        "prior_one_step": [f"task.denoiser.init_from={tmp_path}/prior_denoiser/exported/last"],
    }
    small = ["task.denoiser.widths=[16,16,16,16]", "task.denoiser.heads=2"]
    for name, given in steps.items():
        narrow = small if "denoiser" in given[0] else []
        train(composed(tmp_path / name, f"experiment={name}", *measured, *given, *narrow))
    _train(tmp_path / "quick", f"generator.path={tmp_path}/prior_one_step/exported/last", "data.val.limit=1")
    assert load_model(str(tmp_path / "quick" / "checkpoints" / "last.ckpt")).generator.source.endswith("exported/last")


@pytest.mark.filterwarnings("ignore:.*AMP with fp16 is not supported on CPU.*")
def test_an_unsupported_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"but got 16-mixed. Set trainer\.precision=bf16-mixed"):
        _train(tmp_path, "trainer.precision=16-mixed")


def test_init_from_with_ckpt_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="but got both"):
        _train(tmp_path, "ckpt_path=a.ckpt", "init_from=b.ckpt")


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    states: list[dict[str, Any]] = []
    for name in ("first", "second"):
        torch.rand(3)
        _train(tmp_path / name)
        states.append(read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"])
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


def test_a_missing_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_cleanly(lambda: _train(tmp_path, "data.train.root=nowhere"))
    sentence = capsys.readouterr().err
    assert sentence.count("\n") == 1
    assert "nowhere" in sentence
    assert "data.train.root" in sentence
