"""Files that are their owner's alone, and appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file in one step, readable by its owner alone; what was there before is replaced.

    Args:
        path: The file; its folder is made if need be.
        content: All of it.

    Raises:
        OSError: It cannot be written; what was there before is as it was.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp: nobody else can open it, whatever the umask is.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
