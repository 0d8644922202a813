"""Torus elements: x of x / 2^64 mod 1 in uint64; those of 32 and 48 bits have their last bits zero."""

from __future__ import annotations

import fractions

import numpy as np


def narrow(x, bits: int) -> np.ndarray:
    """The nearest element of `bits` bits, rounded half up, mod 1."""
    excess = 64 - bits
    if excess == 0:
        return np.asarray(x, np.uint64)
    return np.asarray(x, np.uint64) + np.uint64(1 << (excess - 1)) >> np.uint64(excess) << np.uint64(excess)


def from_double(x: float, bits: int) -> int:
    """The element of a double, as an integer of 64 bits: x - rint(x), cut towards zero at 64 bits, then narrowed.

    (A double of 2^-11 and more in magnitude has no bits to cut.)
    """
    fraction = fractions.Fraction(x) - round(fractions.Fraction(x))
    return int(narrow(np.uint64(int(fraction * 2**64) % 2**64), bits))


def to_double(x: int) -> float:
    """The representative in [-1/2, 1/2), as the nearest double."""
    return float(x - (x >> 63 << 64)) / 2.0**64


def to_bytes(x, bits: int) -> bytes:
    """As in a file: little-endian, 4, 6 or 8 bytes each."""
    length = bits // 8
    return np.ascontiguousarray(x, "<u8").reshape(-1, 1).view(np.uint8)[:, 8 - length :].tobytes()


def from_bytes(data: bytes, bits: int) -> np.ndarray:
    """The elements of a file."""
    length = bits // 8
    words = np.zeros((len(data) // length, 8), np.uint8)
    words[:, 8 - length :] = np.frombuffer(data, np.uint8).reshape(-1, length)
    return words.view("<u8").reshape(-1).astype(np.uint64)


def signed(x) -> np.ndarray:
    """The representatives in [-2^63, 2^63)."""
    return np.asarray(x, np.uint64).view(np.int64)
