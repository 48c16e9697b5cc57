"""Options of one named adapter, and the flat options that earlier versions had instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dgsr.checks import expect
from dgsr.models.adapters.conditioning import Init, Kind
from dgsr.models.backbones.interface import NETWORKS, Backbone, Network, Targets

#: The adapter of models that have only one.
MAIN = "main"

#: Name of `main` in the names of LoRA weights, as peft and earlier versions have it.
_MAIN_LAYER = "default"

#: Option of earlier versions -> its place in the options of the adapter `main`.
_FLAT: Mapping[str, tuple[str, ...]] = {
    "unet_rank": ("unet", "rank"),
    "vae_rank": ("vae", "rank"),
    "unet_targets": ("unet", "targets"),
    "vae_targets": ("vae", "targets"),
    "alpha": ("alpha",),
    "conditioning": ("conditioning",),
    "init": ("init",),
}


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Rank of an adapter in one network, and the layers that have it.

    Attributes:
        rank: Rank r of A, B and the correction.
        targets: A named set of the backbone, ends of layers' names, or a regular expression for whole names.
    """

    rank: int
    targets: str | Sequence[str] = "paper"

    def __post_init__(self) -> None:
        if not isinstance(self.targets, str):
            object.__setattr__(self, "targets", list(self.targets))


@dataclass(frozen=True, kw_only=True)
class AdapterOptions:
    """Options of one adapter; the defaults are the paper's.

    Attributes:
        unet: Rank and layers in the denoiser.
        vae: Rank and layers in the VAE encoder.
        alpha: The adapter's scale is alpha / rank.
        conditioning: What the correction depends on: scores and block (guided), scores alone (shared_block), or
            nothing (none: plain LoRA).
        init: Start the correction at zero, as the paper does, or near the identity.
    """

    unet: Layers = field(default_factory=lambda: Layers(rank=32))
    vae: Layers = field(default_factory=lambda: Layers(rank=16))
    alpha: float = 8.0
    conditioning: Kind = "guided"
    init: Init = "paper"

    def targets(self, network: Network, backbone: Backbone) -> Targets:
        """Return the layers of a network to adapt, with named sets resolved."""
        targets = getattr(self, network).targets
        named = backbone.adapter_targets.get(targets) if isinstance(targets, str) else None
        return targets if named is None else named[network]

    def resolved(self, backbone: Backbone) -> AdapterOptions:
        """Return the same options without named sets of layers."""
        layers = {name: replace(getattr(self, name), targets=self.targets(name, backbone)) for name in NETWORKS}
        return replace(self, **layers)


def read_adapters(adapters: Mapping[str, Any]) -> dict[str, AdapterOptions]:
    """Return adapters by name from plain values, such as those of a YAML file; absent ones have the paper's values.

    Raises:
        TypeError: An option is unknown or of the wrong type.
    """
    return {name: _read(options) for name, options in adapters.items()}


def _read(options: Any) -> AdapterOptions:
    if isinstance(options, AdapterOptions):
        return options
    default = AdapterOptions()
    layers = {key: replace(getattr(default, key), **options[key]) for key in NETWORKS if key in options}
    return AdapterOptions(**{**options, **layers})


def expect_adapters(adapters: Mapping[str, AdapterOptions]) -> None:
    """Refuse no adapters, names that weights cannot have, and ranks below 1.

    Raises:
        UserError: One of these.
    """
    expect(len(adapters) > 0, "at least one adapter", "none", "Set generator.adapters.main.")
    for name, options in adapters.items():
        allowed, remedy = name.isidentifier() and name != _MAIN_LAYER, f"Rename generator.adapters.{name}."
        expect(allowed, "letters, digits and underscores as the name of an adapter", name, remedy)
        for network in NETWORKS:
            rank = getattr(options, network).rank
            expect(rank > 0, "a rank above 0", rank, f"Set generator.adapters.{name}.{network}.rank to 4 or more.")


def from_flat(options: Mapping[str, Any], adapters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Move the adapter options of earlier versions, such as `unet_rank`, into the adapter `main`.

    Args:
        options: Options of a generator; returned unchanged if none is flat.
        adapters: What the flat options change.

    >>> from_flat({"unet_rank": 4, "alpha": 2.0, "seed": 1})
    {'seed': 1, 'adapters': {'main': {'unet': {'rank': 4}, 'alpha': 2.0}}}
    """
    flat = {name: value for name, value in options.items() if name in _FLAT}
    if not flat:
        return dict(options)
    main: dict[str, Any] = {}
    for name, value in (adapters or {}).get(MAIN, {}).items():
        main[name] = dict(value) if isinstance(value, Mapping) else value
    for name, value in flat.items():
        *above, leaf = _FLAT[name]
        (main.setdefault(above[0], {}) if above else main)[leaf] = value
    rest = {name: value for name, value in options.items() if name not in _FLAT}
    return {**rest, "adapters": {**(adapters or {}), MAIN: main}}


def layer_name(adapter: str) -> str:
    """Return an adapter's name in the names of its LoRA weights."""
    return _MAIN_LAYER if adapter == MAIN else adapter


def conditioning_name(adapter: str) -> str:
    """Return the name of the module of a generator that holds an adapter's conditioning."""
    return "conditioning" if adapter == MAIN else f"conditioning_{adapter}"
