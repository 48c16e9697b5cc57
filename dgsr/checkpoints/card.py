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
{adapters}
| timestep | {options.timestep} |
| guidance | {guidance} |
| positive prompt | {options.positive_prompt} |
| negative prompt | {options.negative_prompt} |

```python
{usage}
```
"""

_WHOLE = """\
from dgsr import Upscaler
from dgsr.images import read_image, write_image

upscaler = Upscaler.from_pretrained("path/to/this/folder")
write_image("photo_sr.png", upscaler(read_image("photo.jpg")))"""

_ALONE = """\
from dgsr import DegradationEstimator, Upscaler
from dgsr.checkpoints import load_pretrained

generator = load_pretrained("path/to/this/folder")
estimator = DegradationEstimator.from_file("path/to/its/estimator")  # which this folder does not hold
upscaler = Upscaler(generator.eval(), estimator, scale={scale}, guidance={guidance})"""

_ADAPTER = (
    "| adapter {name} | {adapter.conditioning}, rank {adapter.unet.rank} in the UNet, "
    "{adapter.vae.rank} in the VAE encoder |"
)

_TRAINED = {"adapter": "the adapter", "with_decoder": "the adapter and the VAE's decoder", "all": "all weights"}


def model_card(options: GeneratorOptions, source: str, scale: int, guidance: float, whole: bool) -> str:
    """Return the card: what was trained, over which backbone, and how to use it; without local paths.

    Args:
        options: Options of the generator.
        source: The backbone.
        scale: Output pixels per input pixel, along each side.
        guidance: The guidance to use it with.
        whole: Whether an estimator is exported with it.
    """
    on_hub = looks_like_hub_id(source) and not Path(source).exists()
    return _CARD.format(
        base=f"base_model: {source}\n" if on_hub else "",
        backbone=source if on_hub else Path(source).name,
        trained=_TRAINED[options.trainable],
        options=options,
        adapters="\n".join(_ADAPTER.format(name=name, adapter=each) for name, each in options.adapters.items()),
        scale=scale,
        guidance=guidance,
        usage=_WHOLE if whole else _ALONE.format(scale=scale, guidance=guidance),
    )
