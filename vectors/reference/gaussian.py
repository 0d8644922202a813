"""The integer Gaussian sampler: Box and Muller's transform in fixed point (tfhe-core, `random::gaussian`).

For uniform u, v of 64 bits, sqrt(-2 ln u) (cos 2 pi v, sin 2 pi v). What is fixed, so that all machines draw the
same:

* log2 u to 44 fraction bits, by squaring a mantissa of 63 fraction bits (cut, not rounded) again and again;
* -2 ln u to 56 fraction bits (cut); its square root, of 28 fraction bits, is the integer floor;
* cos and sin by 36 CORDIC rotations in the first quarter turn, on 60 fraction bits with shifts that floor;
* the products, of 28 fraction bits, floored; times the deviation, in units of 2^-64, rounded half up.

The constants are computed here from their definitions, with 200 spare bits.
"""

from __future__ import annotations

import decimal

import numpy as np

from . import chacha20

_LOG_BITS, _ROTATIONS = 44, 36
_PRECISION = 320  # bits of the integers that stand for real constants


def _arc_tangent(numerator: int, denominator: int) -> int:
    """atan(numerator / denominator) by its series, for a ratio below 1."""
    power = (numerator << _PRECISION) // denominator
    total, n = 0, 1
    while power:
        total += power // n if n % 4 == 1 else -(power // n)
        power = power * numerator**2 // denominator**2
        n += 2
    return total


def _nearest(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _constants():
    pi = 4 * (4 * _arc_tangent(1, 5) - _arc_tangent(1, 239))  # Machin
    angles = [1 << 61]  # atan 1 is an eighth of a turn
    for i in range(1, _ROTATIONS):
        angles.append(_nearest(_arc_tangent(1, 1 << i) << 64, 2 * pi))
    with decimal.localcontext() as context:
        context.prec = 100
        product = decimal.Decimal(1)
        for i in range(_ROTATIONS):
            product *= 1 + decimal.Decimal(1) / 4**i
        start = int((2**60 / product.sqrt()).to_integral_value())
        two_ln_2 = int((2 * decimal.Decimal(2).ln() * 2**62).to_integral_value())
    return angles, start, two_ln_2


ANGLES, START, TWO_LN_2 = _constants()
# Pairs computed together: some twenty arrays of them stay in the second-level cache.
_PAIRS = 4096
_U32, _LOW = np.uint64(32), np.uint64(0xFFFF_FFFF)


def _product(a, b):
    """The 128-bit product of uint64 numbers: upper and lower half."""
    a1, a0, b1, b0 = a >> _U32, a & _LOW, b >> _U32, b & _LOW
    cross = a1 * b0 + (a0 * b0 >> _U32)
    other = a0 * b1 + (cross & _LOW)
    return a1 * b1 + (cross >> _U32) + (other >> _U32), a * b


def _bit_length(x):
    """Of uint64 numbers that are not 0."""
    length = np.zeros(x.shape, np.uint64)
    for step in (32, 16, 8, 4, 2, 1):
        large = (x >> (length + np.uint64(step))) != 0
        length += np.uint64(step) * large.astype(np.uint64)
    return length + np.uint64(1)


def minus_two_ln(u) -> np.ndarray:
    """-2 ln((u | 1) / 2^64), 56 fraction bits."""
    u = np.asarray(u, np.uint64) | np.uint64(1)
    zeros = np.uint64(64) - _bit_length(u)
    mantissa, log = u << zeros, np.zeros(u.shape, np.uint64)
    one, top = np.uint64(1), np.uint64(63)
    for _ in range(_LOG_BITS):
        upper, lower = _product(mantissa, mantissa)
        bit = upper >> top
        # Above 2 the mantissa is halved; else the upper half's first bit is 0 and there is room for one more.
        mantissa = np.where(bit == one, upper, upper << one | lower >> top)
        log = log << one | bit
    minus_log = (zeros + one << np.uint64(_LOG_BITS)) - log
    upper, lower = _product(minus_log, np.uint64(TWO_LN_2))
    shift = np.uint64(_LOG_BITS + 62 - 56)
    return upper << np.uint64(64) - shift | lower >> shift


def square_root(x) -> np.ndarray:
    """The integer floor, of numbers below 2^63."""
    root = np.sqrt(x.astype(np.float64)).astype(np.uint64)
    root -= (root * root > x).astype(np.uint64)
    return root + ((root + np.uint64(1)) ** np.uint64(2) <= x).astype(np.uint64)


def cos_sin(v) -> tuple[np.ndarray, np.ndarray]:
    """Of v / 2^64 of a turn, 60 fraction bits."""
    v = np.asarray(v, np.uint64)
    angle = (v & np.uint64(2**62 - 1)).astype(np.int64)
    x, y = np.full(v.shape, START, np.int64), np.zeros(v.shape, np.int64)
    for i, step in enumerate(ANGLES):
        sign = np.where(angle < 0, np.int64(-1), np.int64(1))
        x, y = x - sign * (y >> np.int64(i)), y + sign * (x >> np.int64(i))
        angle -= sign * np.int64(step)
    quarter = v >> np.uint64(62)
    quarters = (quarter == 0, quarter == 1, quarter == 2)
    return np.select(quarters, (x, -y, -x), y), np.select(quarters, (y, x, -y), -x)


def normal_pair(u, v) -> tuple[np.ndarray, np.ndarray]:
    """Two independent standard normal numbers, 28 fraction bits."""
    radius = square_root(minus_two_ln(u)).astype(np.int64)

    def project(x):
        upper, lower = x >> np.int64(32), (x & np.int64(0xFFFF_FFFF)).astype(np.uint64)
        lower = (radius.astype(np.uint64) * lower >> _U32).astype(np.int64)
        return radius * upper + lower >> np.int64(28)

    return tuple(project(x) for x in cos_sin(v))


def scale(normal, deviation: int) -> np.ndarray:
    """`normal` times `deviation` / 2^64 as a torus element of 64 bits, rounded half up."""
    low, middle, high = (np.int64(deviation >> shift & 0x3F_FFFF) for shift in (0, 22, 44))
    carry = normal * low + np.int64(1 << 27) >> np.int64(22)
    carry = normal * middle + carry >> np.int64(6)
    return (normal * high).astype(np.uint64) * np.uint64(1 << 16) + carry.astype(np.uint64)


def deviation(log2: float) -> int:
    """2^log2 of the torus in units of 2^-64: first the nearest double, then the nearest integer."""
    with decimal.localcontext() as context:
        context.prec = 60
        double = float(decimal.Decimal(2) ** decimal.Decimal(log2))
    return int(decimal.Decimal(double * 2.0**64).to_integral_value(decimal.ROUND_HALF_UP))


def noise(seed: bytes, purpose: int, rows, count: int, deviation: int) -> np.ndarray:
    """`count` noise terms of each row's secret stream, of 64 bits: (rows, count)."""
    if deviation == 0:
        return np.zeros((np.size(rows), count), np.uint64)
    uniform = chacha20.words64(seed, purpose, rows, 2 * (-(-count // 2)))
    pairs = uniform.reshape(-1, 2)
    normal = np.empty(pairs.shape, np.int64)
    for start in range(0, len(pairs), _PAIRS):
        part = slice(start, start + _PAIRS)
        normal[part, 0], normal[part, 1] = normal_pair(pairs[part, 0].copy(), pairs[part, 1].copy())
    return scale(normal.reshape(uniform.shape)[:, :count], deviation)
