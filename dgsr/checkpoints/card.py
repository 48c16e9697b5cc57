"""The model card of an exported generator."""

from __future__ import annotations

from pathlib import Path

from dgsr.models.hub import looks_like_hub_id
from dgsr.models.options import GeneratorOptions

_CARD = """\
---
library_name: dgsr
pipeline_tag: image-to-image
tags:
- super-resolution
- image-restoration
{base}---

# Image super-resolution by a factor of {scale}, in one step, guided by degradation

Trained with dgsr, after S3Diff (arXiv 2409.17058).

| | |
|---|---|
| backbone | {backbone} |
| trained | {trained} |
| ranks | UNet {options.unet_rank}, VAE encoder {options.vae_rank} |
| conditioning | {options.conditioning} |
| timestep | {options.timestep} |
| guidance | {guidance} |
| positive prompt | {options.positive_prompt} |
| negative prompt | {options.negative_prompt} |

```python
from dgsr import OneStepGenerator

generator = OneStepGenerator.from_pretrained("path/to/this/folder")
```
"""

_TRAINED = {"adapter": "the adapter", "with_decoder": "the adapter and the VAE's decoder", "all": "all weights"}


def model_card(options: GeneratorOptions, source: str, scale: int, guidance: float) -> str:
    """Return the card: what was trained, on what, and how to load it; no paths of this machine."""
    on_hub = looks_like_hub_id(source) and not Path(source).exists()
    return _CARD.format(
        base=f"base_model: {source}\n" if on_hub else "",
        backbone=source if on_hub else Path(source).name,
        trained=_TRAINED[options.trainable],
        options=options,
        scale=scale,
        guidance=guidance,
    )
