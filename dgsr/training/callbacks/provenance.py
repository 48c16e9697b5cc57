"""What a run is made of, written into every checkpoint, so that continuing it can say what has changed."""

from __future__ import annotations

from typing import Any

import lightning


class Provenance(lightning.Callback):
    """Record a run's config and the fingerprint of its photographs.

    Args:
        config: The composed config as plain values, with its interpolations as they were written.
        data: The fingerprint of what is trained on.
    """

    def __init__(self, config: dict[str, Any], data: str) -> None:
        self.recorded = {"config": config, "data": data}

    def state_dict(self) -> dict[str, Any]:
        """Return the record for a checkpoint; nothing is taken back, since the present run has its own."""
        return self.recorded


def provenance_of(checkpoint: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the run that wrote a checkpoint was made of, if it says so: `config` and `data`."""
    return checkpoint.get("callbacks", {}).get(Provenance.__name__)
