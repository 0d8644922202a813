"""Modulus switch, lookup tables, external product, blind rotation, sample extraction (tfhe-core, `bootstrap`, `tgsw`).

A TLWE sample is an array (k + 1, N), the body last; a TGSW sample is (rows, k + 1, N), row q l + i being that of
polynomial q and level i. An LWE sample is its mask, then its body.
"""

from __future__ import annotations

import numpy as np

from . import gadget, torus
from .polynomial import products, rotate


def modulus_switch(mask, body, size: int) -> tuple[list[int], int]:
    """To the modulus 2 N, centred; elements of 32 bits.

    a' = round(2N a), half up; e = a' / 2N - a; b' = floor(2N (b + 1/2 sum e)).
    """
    unit = 2**32 // (2 * size)
    a = [int(x) >> 32 for x in mask]
    switched = [(2 * x + unit) // (2 * unit) for x in a]
    errors = sum(s * unit - x for s, x in zip(switched, a))
    body = (2 * (int(body) >> 32) + errors) // (2 * unit)
    return [s % (2 * size) for s in switched], body % (2 * size)


def sign_table(size: int, amplitude: int) -> np.ndarray:
    """`amplitude` on the phases [0, 1/2)."""
    return np.full(size, amplitude, np.uint64)


def function_table(size: int, function) -> np.ndarray:
    """`function` on [-1/4, 1/4) at the middles (j + 1/2) / 2N of the slots; the upper half is that of x - 1/2, negated."""
    def value(j):
        middle = (j + 0.5) / (2.0 * size)
        return torus.from_double(function(middle) if j < size // 2 else -function(middle - 0.5), 64)
    return np.array([value(j) for j in range(size)], np.uint64)


def look_up(table, phase: int) -> int:
    """What a table gives at a phase of 32 bits, as a word of 32: without noise, the result of a bootstrap."""
    slot = (int(phase) * 2 * table.size) >> 32
    value = rotate(table, -slot)[0]
    return int(torus.narrow(value, 32)) >> 32


def external_product(tgsw, tlwe, base_log: int, levels: int) -> np.ndarray:
    """The digits of a TLWE sample times the rows of a TGSW sample, exactly, on 64 bits."""
    digits = gadget.digits(tlwe, base_log, levels)  # (levels, k + 1, N)
    rows = np.swapaxes(digits, 0, 1).reshape(-1, tlwe.shape[-1])
    return products(rows, tgsw)


def step(samples, patterns, masks, accumulator, base_log: int, levels: int) -> np.ndarray:
    """One step of blind rotation: acc + sum over j of (X^shift_j - 1) (sample_j times acc).

    `masks` are those of the step's key bits mod 2N; shift_j is the sum of those in pattern j.
    """
    result = accumulator.copy()
    for sample, pattern in zip(samples, patterns):
        shift = sum(mask for i, mask in enumerate(masks) if pattern >> i & 1)
        product = external_product(sample, accumulator, base_log, levels)
        result += rotate(product, shift) - product
    return result


def start(table, body: int, k: int) -> np.ndarray:
    """X^-b' times the table, as a TLWE sample without masks."""
    accumulator = np.zeros((k + 1, table.size), np.uint64)
    accumulator[k] = rotate(table, -body)
    return accumulator


def blind_rotation(cloud, mask, body, table) -> np.ndarray:
    """The accumulator after all steps, for a sample switched to the modulus 2N."""
    p = cloud.parameters
    accumulator, patterns = start(table, body, p.k), p.patterns
    for number in range(p.n // p.step):
        samples = cloud.bootstrap_rows(number * len(patterns), len(patterns))
        bits = mask[number * p.step : (number + 1) * p.step]
        accumulator = step(samples, patterns, bits, accumulator, p.base_log, p.levels)
    return accumulator


def sample_extract(tlwe, index: int) -> np.ndarray:
    """The LWE sample of coefficient `index`: mask q N + i is A_q[index - i], negated where it wraps."""
    size = tlwe.shape[-1]
    # A rotation by N - 1 - index brings the coefficient to the top; read downwards, nothing wraps any more.
    masks = [rotate(a, size - 1 - index)[::-1] for a in tlwe[:-1]]
    return np.concatenate(masks + [tlwe[-1][index : index + 1]])


def bootstrap(cloud, sample, table) -> np.ndarray:
    """The sample under the large key, on 32 bits, of the table's value at the phase of a sample under the small key."""
    mask, body = modulus_switch(sample[:-1], sample[-1], cloud.parameters.size)
    return torus.narrow(sample_extract(blind_rotation(cloud, mask, body, table), 0), 32)
