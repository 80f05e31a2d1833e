"""A broker by its reference: `package.module:name`."""

from __future__ import annotations

import importlib
import sys
from functools import reduce
from pathlib import Path
from typing import Any


def load(reference: str) -> Any:
    """Import what a reference names; the current folder is looked into as well.

    Args:
        reference: Such as ``package.module:broker``; the name may be dotted.

    Raises:
        ValueError: It is no reference.
        LookupError: The module has no such name.
    """
    module, colon, name = reference.partition(":")
    if not (module and colon and name):
        raise ValueError(f'"{reference}" is no reference to a broker; write package.module:name')
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return reduce(getattr, name.split("."), importlib.import_module(module))
    except AttributeError:
        raise LookupError(f"{reference}: the module {module} has no {name}") from None
