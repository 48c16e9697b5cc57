"""Build the Lightning trainer, and refuse settings that the machine or the method does not support."""

from __future__ import annotations

from functools import partial

import lightning
from lightning.fabric.utilities.exceptions import MisconfigurationException

from dgsr.checks import expect, refuse

_SHARDING = ("fsdp", "deepspeed", "model_parallel")


def build_trainer(build: partial[lightning.Trainer]) -> lightning.Trainer:
    """Build a trainer from its settings.

    Raises:
        UserError: There is no such device, settings contradict each other, the strategy shards the network, or
            Lightning's own count of steps or epochs, which does not advance with ours, should end the run.
    """
    for key in ("max_steps", "max_epochs"):
        limit = build.keywords.get(key, -1)
        expect(limit in (-1, None), f"trainer.{key} of -1", limit, "Set run.max_steps to limit a run.")
    strategy = str(build.keywords.get("strategy", "auto"))
    expected = "a strategy that keeps the whole network on every device"
    remedy = (
        "Sharding splits gradients and optimizer states, which the frozen network does not have. Use trainer=ddp; "
        "trainer.precision=bf16-mixed and a smaller run.micro_batch save memory."
    )
    expect(not strategy.startswith(_SHARDING), expected, f"trainer.strategy={strategy}", remedy)
    try:
        return build()
    except (MisconfigurationException, ValueError) as error:
        refuse("trainer settings for this machine", str(error).split("\n")[0].rstrip("."), "See conf/trainer.")
