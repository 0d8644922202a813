"""Exact products in (Z / 2^64)[X] / (X^N + 1); coefficients in ascending powers, along the last axis.

`schoolbook` is the definition. The other two give the same for large operands in less time: numbers are cut into
limbs, of which floating-point arithmetic makes exact sums below 2^53.
"""

from __future__ import annotations

import numpy as np

_U32 = np.uint64(32)


def rotate(p, power: int) -> np.ndarray:
    """X^power times p, for any integer power."""
    size = p.shape[-1]
    power %= 2 * size
    doubled = np.concatenate((p, -p.astype(p.dtype), p), -1)
    # Coefficient j comes from j - power; 2 N on, which is the same, is X^2N = 1 on.
    start = (2 * size - power) % (2 * size)
    return doubled[..., start : start + size]


def schoolbook(integers, torus) -> np.ndarray:
    """An integer polynomial (int64) times a torus polynomial (uint64)."""
    size = torus.shape[-1]
    sum_ = np.zeros(torus.shape, np.uint64)
    for j in range(size):
        sum_ += np.uint64(int(integers[j]) & (2**64 - 1)) * rotate(torus, j)
    return sum_


def matrix(p) -> np.ndarray:
    """The N x N matrix M of an integer polynomial: a row vector a times M is the product of a and p."""
    size = p.size
    doubled = np.concatenate((-p, p)).astype(np.float64)
    i, j = np.ogrid[:size, :size]
    return doubled[size + j - i]


class Bits:
    """k secret polynomials of 0 and 1, by which rows of k torus polynomials are multiplied: <A, S>."""

    def __init__(self, bits, size: int):
        self.matrix = np.vstack([matrix(s) for s in np.asarray(bits, np.int64).reshape(-1, size)])

    def product(self, rows) -> np.ndarray:
        """(rows, k N) to (rows, N). Halves of 32 bits and k N <= 2^12 signed terms: sums are below 2^45."""
        low, high = ((half.astype(np.float64) @ self.matrix).astype(np.int64).astype(np.uint64)
                     for half in (rows & np.uint64(0xFFFF_FFFF), rows >> _U32))
        return low + (high << _U32)


# Limbs: integers in two of 12 bits, the upper one signed; torus elements in four of 16 bits.
_INTEGER_LIMB, _TORUS_LIMB = 12, 16


def _spectrum(x):
    """The values of a real polynomial at every other root of X^N + 1: those at the others are their conjugates.

    With z a root and z^(N/2) = i, the upper half of the coefficients is i times as much, and folds onto the lower.
    """
    half = x.shape[-1] // 2
    twist = np.exp(1j * np.pi * np.arange(half) / (2 * half))
    return np.fft.fft((x[..., :half] + 1j * x[..., half:]) * twist)


def _coefficients(spectrum):
    half = spectrum.shape[-1]
    folded = np.fft.ifft(spectrum) * np.exp(-1j * np.pi * np.arange(half) / (2 * half))
    return np.concatenate((folded.real, folded.imag), -1)


def products(integers, torus) -> np.ndarray:
    """sum over r of integers[r] torus[r, c]: (rows, N) and (rows, columns, N) to (columns, N).

    Digits below 2^23, at most 16 rows, N <= 2^11: the sums of limbs' products are below 2^43, the transform's
    errors far below a quarter, which is checked.
    """
    low = integers & np.int64((1 << _INTEGER_LIMB) - 1)
    limbs = [_spectrum(low), _spectrum(integers >> np.int64(_INTEGER_LIMB))]
    total = np.zeros(torus.shape[1:], np.uint64)
    for t in range(64 // _TORUS_LIMB):
        limb = torus >> np.uint64(_TORUS_LIMB * t) & np.uint64((1 << _TORUS_LIMB) - 1)
        if not limb.any():
            continue
        spectrum = _spectrum(limb)
        for i, digits in enumerate(limbs):
            product = _coefficients((digits[:, None] * spectrum).sum(0))
            rounded = np.rint(product)
            if np.abs(product - rounded).max() > 0.25:
                raise ArithmeticError("a product is too large for this transform to be exact")
            shift = np.uint64(_TORUS_LIMB * t + _INTEGER_LIMB * i)
            total += rounded.astype(np.int64).astype(np.uint64) << shift
    return total
