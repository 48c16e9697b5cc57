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

#: What Hydra calls the provider of the folder that `--config-dir` names.
PROVIDER = "command-line"


def conf_dir() -> Path:
    """Locate conf/: inside an installed package, or beside it in a checkout."""
    package = Path(dgsr.__file__).parent
    return next(folder for folder in (package / "conf", package.parent / "conf") if (folder / "train.yaml").is_file())


@contextmanager
def hydra_sources(main: Path, own: Path | None) -> Iterator[None]:
    """Let Hydra compose from a folder and from your own one, in the order that its programs use.

    Args:
        main: The folder whose choices win, such as conf/.
        own: The folder of `--config-dir`, if any.
    """
    with initialize_config_dir(str(main.absolute()), version_base="1.3"):
        if own is not None:
            loader: Any = GlobalHydra.instance().config_loader()
            path = loader.get_search_path()
            path.prepend(PROVIDER, f"file://{own}", SearchPathQuery(provider="schema"))
            loader.repository.initialize_sources(path)
        yield
