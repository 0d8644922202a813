"""Modulus switch, lookup tables, external product, blind rotation, sample extraction (tfhe-core, `bootstrap`,
`tgsw`).

A TLWE sample is an array (k + 1, N), the body last; a TGSW sample is (rows, k + 1, N), row q l + i being that of
polynomial q and level i. An LWE sample is its mask, then its body.
"""

from __future__ import annotations

import numpy as np

from . import gadget, key_switch, torus
from .polynomial import products, rotate
from .tlwe import sample_extract


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
    """`function` on [-1/4, 1/4), at the middles (j + 1/2) / 2N of slots; beyond, minus that of x - 1/2."""
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


def shifts(patterns, masks, size: int) -> list[int]:
    """For each TGSW sample of a step, the sum mod 2 N of the masks of the key bits that it stands for."""
    return [sum(mask for i, mask in enumerate(masks) if pattern >> i & 1) % (2 * size) for pattern in patterns]


def step(samples, shifts, accumulator, base_log: int, levels: int) -> np.ndarray:
    """One step of blind rotation: acc + sum over j of (X^shift_j - 1) (sample_j times acc).

    All products have the same digits, so the samples are rotated and summed first.
    """
    combined = sum(rotate(sample, shift) - sample for sample, shift in zip(samples, shifts))
    return accumulator + external_product(combined, accumulator, base_log, levels)


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
        samples = cloud.tgsw(number * len(patterns), len(patterns))
        exponents = shifts(patterns, mask[number * p.step : (number + 1) * p.step], p.size)
        accumulator = step(samples, exponents, accumulator, p.base_log, p.levels)
    return accumulator


def bootstrap(cloud, sample, table) -> np.ndarray:
    """Of a sample under the small key, one of 32 bits under the large key of the table's value at its phase."""
    mask, body = modulus_switch(sample[:-1], sample[-1], cloud.parameters.size)
    return torus.narrow(sample_extract(blind_rotation(cloud, mask, body, table), 0), 32)


def between_gates(cloud, sample, table) -> np.ndarray:
    """The same for ciphertexts as they are between gates, with the key switch in the set's order."""
    if cloud.parameters.switch_first:
        return bootstrap(cloud, key_switch.switch_with(cloud, sample), table)
    return key_switch.switch_with(cloud, bootstrap(cloud, sample, table))
