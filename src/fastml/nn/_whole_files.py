"""Files that are replaced as a whole: whoever opens one sees what it held before, or all of what it holds now."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_whole(path: str | os.PathLike, write: Callable[[Any], object]) -> None:
    """Write a file and put it in the place of another.

    Where writing fails, the old file stays and nothing is left over. A process that is killed on the way leaves the old
    file too, and beside it a part of the new one, whose name begins with a dot and ends in ``.part``.

    Parameters
    ----------
    path : path-like
    write : callable
        Gets the new file, open for bytes.
    """
    path = Path(path)
    # Beside the file: replacing it is atomic within a file system only. open() gives it the rights of any new file.
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
