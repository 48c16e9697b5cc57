"""Define critics, and the functions with which a task uses any number of them.

A task collects the active critics' terms of the generator's loss (`judge_all`), then trains each one
(`train_critics`). The critic named `gan` keeps the names that runs with one discriminator had: its network is
`discriminator` in checkpoints, settings and logs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from dgsr.losses import Attempt
from dgsr.tensors import expect_same_shapes
from dgsr.training.loop.interface import Loop

Terms = dict[str, Float[Tensor, ""]]


class Critic(nn.Module, ABC):
    """Judge how real the generator's images are; a module, so that it follows the training to its device.

    Args:
        network: Network that the critic trains, with the optimizer `optimizer.discriminator`; None trains nothing.
    """

    def __init__(self, network: nn.Module | None = None) -> None:
        super().__init__()
        self.network = network

    def weight_at(self, step: int) -> float:
        """Return the weight of the generator's terms after this many steps; at 0 the critic is skipped altogether."""
        return 1.0

    @abstractmethod
    def judge(self, attempt: Attempt) -> Terms:
        """Return the generator's weighted terms by name."""

    def learn(self, attempt: Attempt) -> tuple[Terms, Terms]:
        """Return the critic's own losses on a detached attempt, and further values to log."""
        return {}, {}


def network_name(critic: str) -> str:
    """Return the name of a critic's network in optimizers, checkpoints and logs.

    >>> network_name("gan"), network_name("vsd")
    ('discriminator', 'critics.vsd')
    """
    return "discriminator" if critic == "gan" else f"critics.{critic}"


def trained_networks(critics: Mapping[str, Critic]) -> dict[str, nn.Module]:
    """Return the networks that critics train, by name."""
    named = {network_name(name): critic.network for name, critic in critics.items()}
    return {name: network for name, network in named.items() if network is not None}


def critics_state(critics: Mapping[str, Critic]) -> dict[str, Tensor]:
    """Return the state of all trained networks, each tensor's name after its network's."""
    networks = trained_networks(critics).items()
    return {f"{name}.{key}": tensor for name, network in networks for key, tensor in network.state_dict().items()}


def restore_critics(critics: Mapping[str, Critic], state: Mapping[str, Tensor]) -> None:
    """Load the result of `critics_state` from a state that may hold other networks too.

    Raises:
        UserError: Names or shapes differ.
    """
    for name, network in trained_networks(critics).items():
        prefix = f"{name}."
        theirs = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
        remedy = "Keep the critic's settings, or start a new run."
        expect_same_shapes(network.state_dict(), theirs, f"a checkpoint of this {name}", remedy)
        network.load_state_dict(theirs)


def active_critics(critics: Mapping[str, Critic], step: int) -> dict[str, Critic]:
    """Return the critics that take part in the step after this many steps."""
    return {name: critic for name, critic in critics.items() if critic.weight_at(step)}


def judge_all(critics: Mapping[str, Critic], attempt: Attempt) -> Terms:
    """Collect the generator's terms of all critics."""
    return {
        _logged(name, term): value for name, critic in critics.items() for term, value in critic.judge(attempt).items()
    }


def train_critics(critics: Mapping[str, Critic], attempts: Sequence[Attempt], loop: Loop) -> None:
    """Step each critic's network on detached attempts."""
    for name, critic in critics.items():
        if critic.network is None:
            continue
        with loop.optimizing(network_name(name), len(attempts)) as backward:
            for attempt in attempts:
                losses, values = critic.learn(attempt)
                backward({_logged(name, loss): value for loss, value in losses.items()})
                loop.record({_logged(name, key): value for key, value in values.items()})


def _logged(critic: str, name: str) -> str:
    return name if critic == "gan" else f"{critic}/{name}"
