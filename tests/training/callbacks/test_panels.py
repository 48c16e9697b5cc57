"""Test the pictures of validations."""

from __future__ import annotations

from pathlib import Path

import torch

from dgsr.images import read_image, to_unit
from dgsr.training.callbacks import ImagePanels
from dgsr.training.data.validation_sets import ValidationSet
from tests.small_run import make_data, make_module, make_trainer

KEYS = ("hq", "lq", "seed")
TRAINED = "unet.conv_in.bias"


def test_each_validation_writes_a_grid(tmp_path: Path) -> None:
    panels = ImagePanels(str(tmp_path), num_images=2)
    make_trainer(validate_every_steps=1, callbacks=[panels]).fit(make_module(2, adversarial=False), make_data())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_0000001.png", "step_0000002.png"]
    rows, columns = 2, 5
    assert read_image(tmp_path / "step_0000002.png").shape == (3, 16 + rows * 68, columns * 68)


def test_named_set_has_a_separate_grid(tmp_path: Path) -> None:
    small = {"small": ValidationSet("bundled:val", limit=1, crop_px=32)}
    trainer = make_trainer(callbacks=[ImagePanels(str(tmp_path))])
    trainer.validate(make_module(1, adversarial=False), make_data(val_sets=small), verbose=False)
    assert read_image(tmp_path / "small" / "step_0000000.png").shape == (3, 16 + 36, 5 * 36)
    assert read_image(tmp_path / "step_0000000.png").shape == (3, 16 + 3 * 68, 5 * 68)


def test_all_columns_use_averaged_weights_and_the_same_scores(tmp_path: Path) -> None:
    module = make_module(1, adversarial=False, ema_decay=0.5)
    recorded = []
    columns = module.columns

    def watched(result: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        recorded.append((module.generator.get_parameter(TRAINED).clone(), result["scores"]))
        return columns(result)

    module.columns = watched  # type: ignore[method-assign] (to look on)
    trainer = make_trainer(validate_every_steps=1, callbacks=[ImagePanels(str(tmp_path), num_images=1)])
    trainer.fit(module, make_data())
    raw = module.generator.get_parameter(TRAINED)
    assert module.ema is not None
    averaged = module.ema.average[TRAINED]
    assert not torch.equal(raw, averaged)
    assert torch.equal(recorded[-1][0], averaged)
    assert recorded[-1][1].shape == (2,)


def test_each_prompt_has_a_separate_picture(tmp_path: Path) -> None:
    panels, module, data = ImagePanels(str(tmp_path), num_images=1), make_module(1, adversarial=False), make_data()
    make_trainer(callbacks=[panels]).validate(module, data, verbose=False)
    picture = read_image(tmp_path / "step_0000000.png")
    sample = module.prepare({name: value[None] for name, value in data.val_pairs[0].items() if name in KEYS})
    prompts = module.generator.prompts
    for column, prompt in {2: prompts.positive, 3: prompts.negative}.items():
        shown = picture[:, 16:80, 68 * column : 68 * column + 64]
        with torch.no_grad():
            expected = to_unit(module.generator(sample.lq_up, sample.scores, prompt))[0]
        torch.testing.assert_close(shown, expected.clamp(0, 1), atol=1 / 255, rtol=0)
