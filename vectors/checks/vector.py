"""The vectors' files: their notation (README.md, "The format"), and the comparison of a case with what was
computed anew.

A check is a function of a case's inputs that returns outputs by name. Every output in the file must be among them
and equal; an output that no check makes is a failure, not a pass.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np


class Skipped(Exception):
    """Says why something could not be checked here."""


def word(text: str) -> int:
    """An element as a number of 64 bits, x of x / 2^64."""
    return int(text, 16) << (64 - 4 * len(text))


def words(text: str) -> np.ndarray:
    """Elements as words of 64 bits."""
    return np.array([word(x) for x in text.split()], np.uint64)


def bits(text: str) -> np.ndarray:
    return np.array([int(c) for c in text], np.uint64)


def show(elements, width: int) -> str:
    """Words of 64 bits in the notation of `width`."""
    digits, shift = (8, 32) if width == 32 else (16, 0)
    return " ".join(f"{int(x) >> shift:0{digits}x}" for x in np.ravel(elements))


def show_bits(values) -> str:
    return "".join(str(int(x)) for x in values)


def sum_of_words(elements, width: int) -> str:
    """SHA-256 of the elements' little-endian bytes, 4 each for 32 bits, else 8."""
    elements = np.ravel(elements)
    data = (elements >> np.uint64(32)).astype("<u4") if width == 32 else elements.astype("<u8")
    return hashlib.sha256(data.tobytes()).hexdigest()


def sum_of_integers(values) -> str:
    return hashlib.sha256(np.ravel(values).astype("<i8").tobytes()).hexdigest()


def read(path: Path) -> list[dict]:
    """The vectors of a file, whose blobs have become arrays."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["format"] != 1:
        raise ValueError(f"{path.name} has the format {content['format']}, this program knows 1")
    return _with_blobs(content["vectors"], path.parent)


def _with_blobs(value, folder: Path):
    if isinstance(value, list):
        return [_with_blobs(item, folder) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"file", "offset", "bytes", "sha256"}:
        data = (folder / value["file"]).read_bytes()[value["offset"] :][: value["bytes"]]
        if len(data) != value["bytes"] or hashlib.sha256(data).hexdigest() != value["sha256"]:
            raise ValueError(f"{value['file']} at offset {value['offset']} has not the recorded SHA-256")
        return np.frombuffer(data, "<u8").astype(np.uint64)
    return {name: _with_blobs(item, folder) for name, item in value.items()}


def difference(expected: dict, found: dict) -> str | None:
    """Where two cases' outputs differ, or None."""
    if set(expected) != set(found):
        return f"outputs {', '.join(sorted(expected))} expected, {', '.join(sorted(found))} computed"
    for name in expected:
        if not equal(expected[name], found[name]):
            return f"{name}: {_short(expected[name])} expected, {_short(found[name])} computed"
    return None


def tolerance_difference(expected: dict, found: dict) -> str | None:
    """The same for tolerances, up to the last digits of a double."""
    if set(expected) != set(found):
        return f"tolerances of {', '.join(sorted(expected))} expected, of {', '.join(sorted(found))} computed"
    for name in expected:
        if not math.isclose(expected[name], found[name], rel_tol=1e-9):
            return f"tolerance of {name}: {expected[name]} expected, {found[name]} computed"
    return None


def equal(expected, found) -> bool:
    if isinstance(expected, dict):
        return isinstance(found, dict) and difference(expected, found) is None
    if isinstance(found, float):  # a real is a string that names a double
        return float(expected) == found
    if isinstance(expected, np.ndarray) or isinstance(found, np.ndarray):
        return np.array_equal(np.ravel(expected), np.ravel(found))
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(equal, expected, found))
    return type(expected) is type(found) and expected == found


def _short(value) -> str:
    text = str(value)
    return text if len(text) <= 70 else text[:67] + "..."


def altered(value, place: int = -1):
    """The same with one thing changed: of several the first or last (`place` 0 or -1), of a text a digit."""
    if isinstance(value, np.ndarray):
        changed = value.copy()
        changed[place] ^= np.uint64(1 << 20)
        return changed
    if isinstance(value, dict):
        name = list(value)[place]
        return {**value, name: altered(value[name], place)}
    if isinstance(value, list):
        changed = list(value)
        changed[place] = altered(value[place], place)
        return changed
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    digit = [i for i, c in enumerate(value) if c.isalnum()][place]
    return value[:digit] + ("1" if value[digit] == "0" else "0") + value[digit + 1 :]
