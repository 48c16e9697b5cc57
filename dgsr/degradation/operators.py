"""The steps of a degradation as records of plain numbers: what is done, never when or to which image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from dgsr.ops import kernels
from dgsr.ops.codecs import Format
from dgsr.ops.resizing import Mode, ResizeMode

BlurKind: TypeAlias = Literal["gaussian", "generalized", "plateau"]


@dataclass(frozen=True)
class Blur:
    """Filter with a smooth kernel; sigmas in pixels, rotation in radians, beta shapes all kinds but the Gaussian."""

    kind: BlurKind
    size: int
    sigma_x: float
    sigma_y: float
    rotation: float = 0.0
    beta: float = 1.0

    @cached_property
    def kernel(self) -> kernels.Kernel:
        """The kernel, which strengths and images ask for in turn."""
        shape = (self.size, self.sigma_x, self.sigma_y, self.rotation)
        match self.kind:
            case "gaussian":
                return kernels.gaussian(*shape)
            case "generalized":
                return kernels.generalized_gaussian(*shape, self.beta)
            case "plateau":
                return kernels.plateau(*shape, self.beta)

    def __str__(self) -> str:
        width = f"{self.sigma_x:.2f}"
        if self.sigma_x != self.sigma_y:
            width += f"x{self.sigma_y:.2f} at {self.rotation:+.2f} rad"
        shape = "" if self.kind == "gaussian" else f", beta {self.beta:.2f}"
        return f"{self.kind} blur {width}{shape}, {self.size} px"


@dataclass(frozen=True)
class Sinc:
    """Filter with the ideal low-pass filter; cutoff in radians per pixel."""

    size: int
    cutoff: float

    @cached_property
    def kernel(self) -> kernels.Kernel:
        """The kernel, which strengths and images ask for in turn."""
        return kernels.sinc(self.size, self.cutoff)

    def __str__(self) -> str:
        return f"sinc {self.cutoff:.2f} rad, {self.size} px"


@dataclass(frozen=True)
class Rescale:
    """Resize both sides by one factor."""

    factor: float
    mode: Mode

    def __str__(self) -> str:
        return f"resize x{self.factor:.2f} {self.mode}"


@dataclass(frozen=True)
class Resize:
    """Resize to a height and width."""

    height: int
    width: int
    mode: ResizeMode

    def __str__(self) -> str:
        return f"resize to {self.width}x{self.height} {self.mode}"


@dataclass(frozen=True)
class GaussianNoise:
    """Add white noise; sigma in grey levels."""

    sigma_255: float
    grey: bool
    seed: int

    def __str__(self) -> str:
        return f"{'grey ' * self.grey}Gaussian noise {self.sigma_255:.1f}"


@dataclass(frozen=True)
class PoissonNoise:
    """Add photon noise, scaled."""

    scale: float
    grey: bool
    seed: int

    def __str__(self) -> str:
        return f"{'grey ' * self.grey}Poisson noise x{self.scale:.2f}"


@dataclass(frozen=True)
class SaltPepper:
    """Turn a share of all pixels white or black."""

    share: float
    seed: int

    def __str__(self) -> str:
        return f"salt and pepper {self.share:.1%}"


@dataclass(frozen=True)
class Jpeg:
    """Compress as JPEG; chroma_step 2 is the usual 4:2:0, 1 is 4:4:4."""

    quality: float
    chroma_step: Literal[1, 2] = 2

    def __str__(self) -> str:
        return f"JPEG {self.quality:.0f}{' 4:4:4' * (self.chroma_step == 1)}"


@dataclass(frozen=True)
class Encode:
    """Compress by the encoder of another format."""

    format: Format
    quality: float

    def __str__(self) -> str:
        return f"{'WebP' if self.format == 'webp' else 'AVIF'} {self.quality:.0f}"


@dataclass(frozen=True)
class Sharpen:
    """Sharpen by the unsharp mask of Real-ESRGAN."""

    def __str__(self) -> str:
        return "sharpen"


@dataclass(frozen=True)
class Round:
    """Round to 8 bits."""

    def __str__(self) -> str:
        return "round to 8 bits"


Noise: TypeAlias = GaussianNoise | PoissonNoise | SaltPepper
Operator: TypeAlias = Blur | Sinc | Rescale | Resize | Noise | Jpeg | Encode | Sharpen | Round
OPERATORS = {kind.__name__: kind for kind in Operator.__args__}
