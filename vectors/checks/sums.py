"""SHA256SUMS: the sums of the vector files, in the format of `sha256sum`."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path


def cases(folder: Path, testing: bool):
    """A case a line: the file's name and its check. When testing, a file is altered and the check must fail."""
    lines = (folder / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    sums = {name.lstrip("*"): sum_ for sum_, name in (line.split(maxsplit=1) for line in lines)}
    for name, sum_ in sums.items():
        yield name, functools.partial(_check, folder / name, sum_, testing)
    files = {path.name for pattern in ("*.json", "*.bin") for path in folder.glob(pattern)}
    if testing:
        files.add("another.json")
    yield "every file is listed", functools.partial(_listed, files, sums, testing)


def _listed(files: set[str], sums: dict[str, str], testing: bool):
    missing = files - set(sums)
    if testing:
        return None if missing else "a file that is not listed passes"
    return f"not listed: {', '.join(sorted(missing))}" if missing else None


def _check(path: Path, sum_: str, testing: bool):
    data = path.read_bytes() + (b"\0" if testing else b"")
    equal = hashlib.sha256(data).hexdigest() == sum_
    if testing:
        return "an altered file passes" if equal else None
    return None if equal else "another sum"
