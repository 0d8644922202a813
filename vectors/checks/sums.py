"""SHA256SUMS: the sums of the vector files, in the format of `sha256sum`."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path


def cases(folder: Path, testing: bool):
    """A case a line: the file's name and its check. When testing, a file is altered and the check must fail."""
    for line in (folder / "SHA256SUMS").read_text(encoding="ascii").splitlines():
        sum_, name = line.split(maxsplit=1)
        path = folder / name.lstrip("*")
        yield path.name, functools.partial(_check, path, sum_, testing)


def _check(path: Path, sum_: str, testing: bool):
    data = path.read_bytes() + (b"\0" if testing else b"")
    equal = hashlib.sha256(data).hexdigest() == sum_
    if testing:
        return "an altered file passes" if equal else None
    return None if equal else "another sum"
