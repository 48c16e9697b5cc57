"""Schema: the configs that the project ships satisfy it, whichever option of a group is chosen."""

from __future__ import annotations

import dataclasses

import pytest
from hydra import compose, initialize_config_dir

from dgsr.apps import EvaluateConfig, TrainConfig, check, conf_dir

#: What the config leaves for the user to say.
GIVEN = {
    "metrics=none": ["task=estimator"],
    "generator=none": ["task=estimator"],
    "estimator=none": ["task=autoencoder"],
    "objective=none": ["task=estimator"],
    "estimator=published": ["estimator.path=weights.pth"],
    "experiment=paper": ["estimator.path=weights.pth"],
    "task=denoiser": ["task.denoiser.autoencoder=folder"],
    "task=one_step": ["task.denoiser.init_from=folder"],
    "experiment=prior_denoiser": ["task.denoiser.autoencoder=folder"],
    "experiment=prior_one_step": ["task.denoiser.init_from=folder"],
}

NOT_OURS = {"hydra", "sweep"}  # the one configures Hydra itself; the other holds lists of values
OPTIONS = sorted(f"{path.parent.name}={path.stem}" for path in conf_dir().glob("*/[!_]*.yaml"))
OPTIONS = [option for option in OPTIONS if option.partition("=")[0] not in NOT_OURS]


@pytest.mark.parametrize(("name", "schema"), [("train", TrainConfig), ("evaluate", EvaluateConfig)])
def test_the_schema_names_exactly_the_keys_of_the_config(name: str, schema: type) -> None:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        keys = set(compose(name))
    assert keys == {field.name for field in dataclasses.fields(schema)}


@pytest.mark.parametrize("schema", [TrainConfig, EvaluateConfig])
def test_a_schema_cannot_be_changed(schema: type) -> None:
    assert schema.__dataclass_params__.frozen


@pytest.mark.parametrize("option", OPTIONS)
def test_training_accepts_every_option(option: str) -> None:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("train", [option, "paths.run=somewhere", *GIVEN.get(option, [])])
    check(cfg, TrainConfig)


def test_evaluation_accepts_its_config() -> None:
    # That the guidance is the model's own is resolved before the config is checked.
    given = ["ckpt_path=a", "data.eval.lq=b", "data.eval.hq=c", "paths.run=somewhere", "inference.guidance=1.0"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("evaluate", given)
    check(cfg, EvaluateConfig)
