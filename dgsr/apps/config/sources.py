"""Find the sources of configs: conf/, and your own folder that `--config-dir` names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra

import dgsr

#: Hydra's provider name for the folder of `--config-dir`.
PROVIDER = "command-line"


def conf_dir() -> Path:
    """Locate conf/: inside an installed package, or beside it in a checkout."""
    package = Path(dgsr.__file__).parent
    return next(folder for folder in (package / "conf", package.parent / "conf") if (folder / "train.yaml").is_file())


@contextmanager
def hydra_sources(main: Path, own: Path | None) -> Iterator[None]:
    """Initialize Hydra with a folder and that of `--config-dir`, in the search order of a program.

    Args:
        main: The folder with the higher priority, such as conf/.
        own: The folder of `--config-dir`, if any.
    """
    with initialize_config_dir(str(main.absolute()), version_base="1.3"):
        if own is not None:
            loader: Any = GlobalHydra.instance().config_loader()
            path = loader.get_search_path()
            path.prepend(PROVIDER, f"file://{own}", SearchPathQuery(provider="schema"))
            loader.repository.initialize_sources(path)
        yield
