"""Choose the device that networks run on."""

from __future__ import annotations

import torch

from dgsr.checks import refuse


def device_of(name: str | torch.device) -> torch.device:
    """Return the device of a name; `auto` is the first GPU, if there is one.

    Raises:
        UserError: There is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        refuse("a device of this machine", f"{name} ({str(error).splitlines()[0]})", "Take cpu or auto.")
