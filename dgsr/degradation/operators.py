"""The operators of a degradation: records of plain numbers that apply themselves to images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from dgsr.ops import kernels
from dgsr.ops.codecs import Format, encode_decode
from dgsr.ops.filtering import filter2d, sharpen
from dgsr.ops.jpeg import jpeg
from dgsr.ops.noise import gaussian_noise, poisson_noise, salt_and_pepper
from dgsr.ops.resizing import Mode, Resized, ResizeMode, rescale, resize
from dgsr.seeds import torch_generator
from dgsr.types import Images

BlurKind: TypeAlias = Literal["gaussian", "generalized", "plateau"]


@dataclass(frozen=True)
class Operator(ABC):
    """Base class of the steps of a degradation: frozen dataclasses whose fields are fully decided."""

    @abstractmethod
    def apply(self, images: Images) -> Resized:
        """Apply the operator to images around [0, 1]; equal operators give equal results."""


class Filter(Operator):
    """An operator that convolves the images with a kernel."""

    @property
    @abstractmethod
    def kernel(self) -> kernels.Kernel:
        """The kernel, which sums to 1."""

    def apply(self, images: Images) -> Resized:
        """Convolve the images with the kernel."""
        return filter2d(images, self.kernel)


@dataclass(frozen=True)
class Blur(Filter):
    """Filter with a smooth kernel; sigmas in pixels, rotation in radians; beta does not affect Gaussians."""

    kind: BlurKind
    size: int
    sigma_x: float
    sigma_y: float
    rotation: float = 0.0
    beta: float = 1.0

    @cached_property
    def kernel(self) -> kernels.Kernel:
        """The kernel, computed once."""
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
class Sinc(Filter):
    """Filter with a sinc kernel, an ideal low-pass filter; cutoff in radians per pixel."""

    size: int
    cutoff: float

    @cached_property
    def kernel(self) -> kernels.Kernel:
        """The kernel, computed once."""
        return kernels.sinc(self.size, self.cutoff)

    def __str__(self) -> str:
        return f"sinc {self.cutoff:.2f} rad, {self.size} px"


@dataclass(frozen=True)
class Rescale(Operator):
    """Resize both sides by one factor."""

    factor: float
    mode: Mode

    def apply(self, images: Images) -> Resized:
        """Resize the images; both sides are rounded down to whole pixels."""
        return rescale(images, self.factor, self.mode)

    def __str__(self) -> str:
        return f"resize x{self.factor:.2f} {self.mode}"


@dataclass(frozen=True)
class Resize(Operator):
    """Resize to a height and width."""

    height: int
    width: int
    mode: ResizeMode

    def apply(self, images: Images) -> Resized:
        """Resize the images; bicubic overshoots are kept."""
        return resize(images, (self.height, self.width), self.mode)

    def __str__(self) -> str:
        return f"resize to {self.width}x{self.height} {self.mode}"


@dataclass(frozen=True)
class GaussianNoise(Operator):
    """Add white noise; sigma in grey levels."""

    sigma_255: float
    grey: bool
    seed: int

    def apply(self, images: Images) -> Resized:
        """Add the noise that the seed draws, then clamp to [0, 1]."""
        generator = torch_generator(self.seed, "noise", images.device)
        return gaussian_noise(images, self.sigma_255, self.grey, generator).clamp_(0, 1)

    def __str__(self) -> str:
        return f"{'grey ' * self.grey}Gaussian noise {self.sigma_255:.1f}"


@dataclass(frozen=True)
class PoissonNoise(Operator):
    """Add photon noise, multiplied by a scale."""

    scale: float
    grey: bool
    seed: int

    def apply(self, images: Images) -> Resized:
        """Add the noise that the seed draws, then clamp to [0, 1]."""
        generator = torch_generator(self.seed, "noise", images.device)
        return poisson_noise(images, self.scale, self.grey, generator).clamp_(0, 1)

    def __str__(self) -> str:
        return f"{'grey ' * self.grey}Poisson noise x{self.scale:.2f}"


@dataclass(frozen=True)
class SaltPepper(Operator):
    """Turn a share of all pixels white or black; share in [0, 1]."""

    share: float
    seed: int

    def apply(self, images: Images) -> Resized:
        """Replace the pixels that the seed draws."""
        return salt_and_pepper(images, self.share, torch_generator(self.seed, "noise", images.device))

    def __str__(self) -> str:
        return f"salt and pepper {self.share:.1%}"


@dataclass(frozen=True)
class Jpeg(Operator):
    """Compress as JPEG; chroma_step 2 is 4:2:0, 1 is 4:4:4."""

    quality: float
    chroma_step: Literal[1, 2] = 2

    def apply(self, images: Images) -> Resized:
        """Compress and decompress the images."""
        return jpeg(images, self.quality, self.chroma_step)

    def __str__(self) -> str:
        return f"JPEG {self.quality:.0f}{' 4:4:4' * (self.chroma_step == 1)}"


@dataclass(frozen=True)
class Encode(Operator):
    """Compress as WebP or AVIF."""

    format: Format
    quality: float

    def apply(self, images: Images) -> Resized:
        """Encode and decode the images, clamped to [0, 1]."""
        return encode_decode(images.clamp(0, 1), self.format, self.quality)

    def __str__(self) -> str:
        return f"{'WebP' if self.format == 'webp' else 'AVIF'} {self.quality:.0f}"


@dataclass(frozen=True)
class Sharpen(Operator):
    """Sharpen with the unsharp mask of Real-ESRGAN."""

    def apply(self, images: Images) -> Resized:
        """Sharpen the images."""
        return sharpen(images)

    def __str__(self) -> str:
        return "sharpen"


@dataclass(frozen=True)
class Round(Operator):
    """Round to 8 bits."""

    def apply(self, images: Images) -> Resized:
        """Round the images, clamped to [0, 1]."""
        return (images * 255).round_().clamp_(0, 255).div_(255)

    def __str__(self) -> str:
        return "round to 8 bits"


_BUILT_IN = (Blur, Sinc, Rescale, Resize, GaussianNoise, PoissonNoise, SaltPepper, Jpeg, Encode, Sharpen, Round)

#: The package's operators by the name that recipes record.
OPERATORS: dict[str, type[Operator]] = {kind.__name__: kind for kind in _BUILT_IN}
