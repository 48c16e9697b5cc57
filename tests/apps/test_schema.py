"""Schema: the configs that the project ships satisfy it, whatever groups are chosen."""

from __future__ import annotations

import dataclasses

import pytest
from hydra import compose, initialize_config_dir

from dgsr.apps import EvaluateConfig, TrainConfig, conf_dir


@pytest.mark.parametrize(("name", "schema"), [("train", TrainConfig), ("evaluate", EvaluateConfig)])
def test_the_schema_names_exactly_the_keys_of_the_config(name: str, schema: type) -> None:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        keys = set(compose(name))
    assert keys == {field.name for field in dataclasses.fields(schema)}


@pytest.mark.parametrize("schema", [TrainConfig, EvaluateConfig])
def test_a_schema_cannot_be_changed(schema: type) -> None:
    assert schema.__dataclass_params__.frozen
