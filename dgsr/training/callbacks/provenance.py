"""Record the config and the data of a run in its checkpoints, so that a resumed run can list what changed."""

from __future__ import annotations

from typing import Any

import lightning


class Provenance(lightning.Callback):
    """Record a run's config and the fingerprint of its photographs.

    Args:
        config: The composed config as plain values, with unresolved interpolations.
        data: The fingerprint of the training photographs.
    """

    def __init__(self, config: dict[str, Any], data: str) -> None:
        self.recorded = {"config": config, "data": data}

    def state_dict(self) -> dict[str, Any]:
        """Return the record for a checkpoint; it is not restored, because a resumed run writes its own."""
        return self.recorded


def provenance_of(checkpoint: dict[str, Any]) -> dict[str, Any] | None:
    """Return the `config` and `data` that a checkpoint records, or None."""
    return checkpoint.get("callbacks", {}).get(Provenance.__name__)
