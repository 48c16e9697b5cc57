"""Run the README's commands, scaled down."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dgsr.models import DegradationEstimator

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [block.splitlines() for block in re.findall(r"<!-- run -->\n```bash\n(.*?)```", README, re.DOTALL)]
COMMANDS = [command for block in BLOCKS for command in block]

#: Overrides that make a command small enough for a test, by a word that the command contains.
SMALL = ["trainer.accelerator=cpu", "debug=fdr"]
ANY_SIZE = ["data.train.min_bytes=0", "data.train.min_side_px=0"]
SMALL_DINO = ["discriminator.backbone=test_vit", "discriminator.weights=random", "discriminator.blocks=[2,4]"]
SMALLER = {
    "experiment=paper": ["generator=tiny", *SMALL_DINO, "trainer=ddp_sim", "debug=fdr", *ANY_SIZE],
    "debug=overfit": ["trainer=cpu", "run.max_steps=1", "run.validate_every_steps=1"],
    "resume=last": ["run.max_steps=2"],
    "run.max_steps=20000": [*SMALL, "run.max_steps=1", "data.crop_px=64", "data.global_batch=2"],
    "sweep=ablation": [*SMALL, "objective.losses.lpips.weight=0"],
    "evaluate.py": [],
    "dgsr ": [],
}

#: Blocks that need a run are run after the block that trains one; the others are independent.
NEEDS_RUN = ("resume=", "RUN", "--model last")
TRAINING = ["python train.py experiment=quick"]
FOLLOWING = [block for block in BLOCKS if any(mark in command for command in block for mark in NEEDS_RUN)]
CHAINS = [
    [command for block in (TRAINING, *FOLLOWING) for command in block],
    *(block for block in BLOCKS if block not in (TRAINING, *FOLLOWING)),
]


@pytest.mark.slow
@pytest.mark.parametrize("commands", CHAINS, ids=[" ".join(chain[-1].split()[1:3]) for chain in CHAINS])
def test_the_commands_run(tmp_path: Path, commands: list[str]) -> None:
    _photographs(tmp_path)
    torch.save(DegradationEstimator().state_dict(), tmp_path / "de_net.pth")
    for command in commands:
        done = _run(command, tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def test_every_command_is_marked_to_be_run() -> None:
    commands = re.findall(r"^((?:python|dgsr) .*?)(?: +#.*)?$", README, re.MULTILINE)
    # Not run here: the introductory example, the full training that `make demo` runs, and the server.
    assert set(commands) - set(COMMANDS) == {"dgsr upscale photo.jpg", "python train.py", "dgsr demo"}


def test_the_documented_error_is_the_actual_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```text\n\$ (python train\.py .*?)\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(_command(shown[0], tmp_path), cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (2, shown[1])


def test_pip_commands_match_the_makefile() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (line,) = re.findall(r"^pip install --no-deps --no-build-isolation (.*)$", README, re.MULTILINE)
    assert shlex.split(line) == [*extras["basicsr"], *extras["weights"]]
    (tools,) = re.findall(r"^pip install (cython .*)$", README, re.MULTILINE)
    assert f"install) {tools}" in (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(PIP)", "install)")


def test_make_targets_exist() -> None:
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=60)


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    extra = next((words for mark, words in SMALLER.items() if mark in command), SMALL)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*_command(command, folder), *extra], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def _command(command: str, folder: Path) -> list[str]:
    """Replace the interpreter, the program's folder, placeholders for runs, and large inputs by small ones."""
    for placeholder, kind in {"RUN": "runs", "SWEEP": "multiruns"}.items():
        if placeholder in command:
            command = command.replace(placeholder, str(max((folder / "logs" / "train" / kind).iterdir())))
    others = {
        "convert s3diff.pkl": f"convert {GOLDEN}/s3diff.pkl",
        "stabilityai/sd-turbo": f"{GOLDEN}/tiny-sd",
        "seed=0,1,2 variant=guided,plain_lora,no_gan": "seed=0 variant=guided",
    }
    for written, meant in others.items():
        command = command.replace(written, meant)
    program, *arguments = shlex.split(command)
    if program == "dgsr":
        return [sys.executable, "-c", "from dgsr.apps.cli import main; main()", *arguments]
    assert program == "python"
    return [sys.executable, str(ROOT / arguments[0]), *arguments[1:]]


def _photographs(folder: Path) -> None:
    """Write a few noisy pictures, and an experiment, under the names that the README uses."""
    (folder / "mine" / "experiment").mkdir(parents=True)
    (folder / "mine" / "experiment" / "mine.yaml").write_text("# @package _global_\ndefaults: [quick]\nseed: 1\n")
    rng = np.random.default_rng(0)
    for name, side, count in [("photos", 96, 4), ("held-out", 96, 2), ("lq", 16, 2), ("hq", 64, 2), ("sr", 64, 2)]:
        (folder / name).mkdir()
        for index in range(count):
            pixels = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    Image.open(folder / "photos" / "0.png").save(folder / "photo.jpg")
