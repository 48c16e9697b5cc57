"""Parse and edit a Hydra command line: flags, `--config-dir` and overrides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from dgsr.apps.config.quoting import unquoted
from dgsr.apps.config.renamed import rename_overrides
from dgsr.checks import expect

_CONFIG_DIR, _CONFIG_DIR_SHORT = "--config-dir", "-cd"
_MULTIRUN = {"-m", "--multirun"}
#: Flags with which Hydra prints something and runs nothing.
_PRINTING = {"--cfg", "-c", "--help", "-h", "--hydra-help", "--info", "-i", "--shell-completion", "-sc", "--version"}
#: Flags whose value is the next word.
_WITH_VALUE = {"--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn"}


class Setting(NamedTuple):
    """One override: `key=value`, `+key=value`, `++key=value` or `~key`.

    >>> Setting.parse("++seed=3")
    Setting(prefix='++', key='seed', value='3')
    """

    prefix: str
    key: str
    value: str

    @classmethod
    def parse(cls, override: str) -> Setting:
        """Split an override at its prefix and its first equals sign."""
        bare = override.lstrip("+~")
        key, _, value = bare.partition("=")
        return cls(override[: len(override) - len(bare)], key, value)


@dataclass(frozen=True)
class CommandLine:
    """The arguments of `train.py` or `evaluate.py`.

    Attributes:
        overrides: `key=value` arguments, in their order.
        flags: Hydra's options with their values, such as `-m` or `--cfg job`.
        config_dir: The folder that `--config-dir` names, absolute since other processes may start elsewhere.
    """

    overrides: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    config_dir: Path | None = None

    @classmethod
    def parse(cls, words: Iterable[str]) -> CommandLine:
        """Split the words of a command line; renamed keys get their new names.

        Raises:
            UserError: `--config-dir` names no folder.
        """
        overrides: list[str] = []
        flags: list[str] = []
        folder = None
        remaining = iter(words)
        for word in remaining:
            if word in (_CONFIG_DIR, _CONFIG_DIR_SHORT):
                folder = next(remaining, "")
            elif word.startswith(f"{_CONFIG_DIR}="):
                folder = word.partition("=")[2]
            elif word.startswith("-"):
                flags += [word, *([next(remaining, "")] if word in _WITH_VALUE else [])]
            else:
                overrides.append(word)
        return cls(tuple(rename_overrides(overrides)), tuple(flags), None if folder is None else _existing(folder))

    @property
    def words(self) -> list[str]:
        """The arguments for Hydra, which needs its options before the overrides."""
        folder = [] if self.config_dir is None else [f"{_CONFIG_DIR}={self.config_dir}"]
        flags = ["--info=all" if flag in ("--info", "-i") else flag for flag in self.flags]
        return [*folder, *flags, *self.overrides]

    @property
    def is_multirun(self) -> bool:
        """Whether `-m` is given."""
        return bool(_MULTIRUN & set(self.flags))

    @property
    def is_printing(self) -> bool:
        """Whether Hydra only prints something, such as the composed config."""
        return bool(_PRINTING & {flag.partition("=")[0] for flag in self.flags})

    def value(self, key: str) -> str | None:
        """Return the last value of `key=value` without quotes, or None if the key is not given."""
        settings = map(Setting.parse, self.overrides)
        values = [unquoted(each.value) for each in settings if each.key == key and each.prefix != "~"]
        return values[-1] if values else None

    def plus(self, *overrides: str) -> CommandLine:
        """Return a copy with further overrides."""
        return replace(self, overrides=(*self.overrides, *overrides))

    def without(self, *keys: str) -> CommandLine:
        """Return a copy without the overrides of these keys."""
        kept = tuple(each for each in self.overrides if Setting.parse(each).key not in keys)
        return replace(self, overrides=kept)

    def renamed(self, old: str, new: str) -> CommandLine:
        """Return a copy in which one key is renamed."""
        settings = zip(self.overrides, map(Setting.parse, self.overrides), strict=True)
        overrides = [f"{new}={each.value}" if each.key == old else text for text, each in settings]
        return replace(self, overrides=tuple(overrides))

    def single_run(self) -> CommandLine:
        """Return a copy without `-m`."""
        return replace(self, flags=tuple(flag for flag in self.flags if flag not in _MULTIRUN))


def _existing(folder: str) -> Path:
    """Return a folder of configs as an absolute path.

    Raises:
        UserError: There is no such folder.
    """
    expect(folder != "" and Path(folder).is_dir(), f"{_CONFIG_DIR} to name a folder of configs", folder or "no name")
    return Path(folder).resolve()


def added_once(overrides: Sequence[str], config_dirs: Sequence[Path]) -> list[str]:
    """Allow an override to be added (`+key=value`) or deleted (`~key`) a second time.

    Hydra refuses to add a key that exists and to delete one that does not.

    Args:
        overrides: The overrides of a run followed by further ones.
        config_dirs: The folders in which each subfolder is a config group.
    """
    last: dict[str, str] = {}
    once: list[str] = []
    for override in overrides:
        prefix, key, value = Setting.parse(override)
        earlier = last.get(key, "")
        if prefix == "~" and earlier.startswith("~"):
            continue
        if prefix.startswith("+") and earlier and not earlier.startswith("~"):
            is_group = any((folder / key.partition("@")[0]).is_dir() for folder in config_dirs)
            override = f"{key}={value}" if is_group and not value.startswith("{") else f"++{key}={value}"
        last[key] = override
        once.append(override)
    return once
