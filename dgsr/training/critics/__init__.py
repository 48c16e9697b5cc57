"""Critics, which judge how real the generator's images look."""

from dgsr.training.critics.gan import Gan
from dgsr.training.critics.interface import Critic

__all__ = ["Critic", "Gan"]
