"""Names for the tensors that travel through the house; shapes stand here so that signatures stay short."""

from __future__ import annotations

from typing import TypeAlias

from jaxtyping import Float, Int, Shaped
from torch import Tensor

#: A batch of RGB images. The docstring of each function says whether the range is [0, 1] or [-1, 1].
Images: TypeAlias = Float[Tensor, "b 3 h w"]

#: One RGB image, without a batch axis.
Image: TypeAlias = Float[Tensor, "3 h w"]

#: An image as files hold it: grey or RGB; 8 or 16 bits, or numbers in [0, 1].
Pixels: TypeAlias = Shaped[Tensor, "channels _ _"]

#: What the estimator reads off each degraded image: (blur, noise), both in [0, 1].
Scores: TypeAlias = Float[Tensor, "b 2"]

#: Embeddings of prompts; a batch of one serves every sample.
PromptEmbeddings: TypeAlias = Float[Tensor, "n tokens width"]

#: One r-by-r matrix per sample and block.
BlockMatrices: TypeAlias = Float[Tensor, "b blocks r r"]

#: Seeds of samples, one each.
Seeds: TypeAlias = Int[Tensor, " b"]
