"""Optional dependencies: imported when used, with a hint that installs them."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(module: str, *, extra: str | None, purpose: str) -> ModuleType:
    """Import `module`, or say which extra of Hornbeam brings it; None for a package that Hornbeam requires.

    >>> require("not_there", extra="plot", purpose="drawing curves")
    Traceback (most recent call last):
        ...
    ImportError: drawing curves needs the package 'not_there', which is not installed. Install it with:
        pip install 'hornbeam[plot]'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name is None or not module.startswith(error.name):
            raise  # the package is there but broken: its own error says more
        package = module.partition(".")[0]
        what = f"'hornbeam[{extra}]'" if extra else package
        raise ImportError(
            f"{purpose} needs the package '{package}', which is not installed. Install it with:\n"
            f"    pip install {what}",
            name=error.name,
        ) from None
