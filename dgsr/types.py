"""Name the shapes of tensors that modules exchange, to keep signatures short."""

from __future__ import annotations

from typing import TypeAlias

from jaxtyping import Float, Int, Shaped
from torch import Tensor

#: A batch of RGB images. The docstring of each function says whether the range is [0, 1] or [-1, 1].
Images: TypeAlias = Float[Tensor, "b 3 h w"]

#: One RGB image, without a batch axis.
Image: TypeAlias = Float[Tensor, "3 h w"]

#: Pixels of an image file: grey or RGB; 8 or 16 bits, or floating-point values in [0, 1].
Pixels: TypeAlias = Shaped[Tensor, "channels _ _"]

#: Degradation scores of each image: (blur, noise), both in [0, 1].
Scores: TypeAlias = Float[Tensor, "b 2"]

#: Embeddings of prompts; a batch of one applies to all samples.
PromptEmbeddings: TypeAlias = Float[Tensor, "n tokens width"]

#: An r x r matrix per sample and block.
BlockMatrices: TypeAlias = Float[Tensor, "b blocks r r"]

#: One seed per sample.
Seeds: TypeAlias = Int[Tensor, " b"]
