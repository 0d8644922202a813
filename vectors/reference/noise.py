"""Variances of noise by formula, in squared torus units, failures and tolerances (tfhe-core, `noise`)."""

from __future__ import annotations

import math

from .parameters import Parameters

# Relative rounding of a double, and the growth of errors through a transform, measured by the project.
_UNIT, _GROWTH = 2.0**-53, 5.7


def digits(base_log: int, levels: int) -> float:
    """Sum over the levels of a digit's variance, for a uniform torus element.

    (B^2 + 2) / 12, less t B/4 where a tie at the level below, of probability t, makes this digit avoid its own
    ties.
    """
    base, total, tie = 2.0**base_log, 0.0, 0.0
    for _ in range(levels):
        total += (base**2 + 2) / 12 - tie * base / 4
        tie = (1 - tie) / base
    return total


def transform(p: Parameters) -> float:
    """What double precision leaves on a word of an external product."""
    return (p.k + 1) * p.size * (_GROWTH * _UNIT) ** 2 * digits(p.base_log, p.levels) / 12


def blind_rotation(p: Parameters) -> float:
    key, norm, samples = p.tlwe_deviation / 2.0**64, 1 + p.large / 2, len(p.patterns)
    products = (p.k + 1) * p.size * key**2 * digits(p.base_log, p.levels) + norm * transform(p)
    rounding = norm * 2.0 ** (-2 * p.base_log * p.levels) / 12 * samples / (samples + 1)
    return p.n / p.step * 2 * (samples * products + rounding)


def key_switch(p: Parameters) -> float:
    key = p.lwe_deviation / 2.0**64
    rounding = 2.0 ** (-2 * p.switch_base_log * p.switch_levels) / 12
    return p.large * (key**2 * digits(p.switch_base_log, p.switch_levels) + rounding / 2)


def modulus_switch(p: Parameters) -> float:
    return (p.n / 48 + 1 / 12) / (2 * p.size) ** 2


def fresh(p: Parameters) -> float:
    deviation = p.fresh_deviation / 2.0**64
    return deviation * deviation


def bootstrapped(p: Parameters) -> float:
    """Of a ciphertext as the next gate meets it, rounded to 32 bits."""
    variance = blind_rotation(p) + (1 + p.large / 2) * 2.0**-64 / 12
    return variance if p.switch_first else variance + key_switch(p)


def decision(p: Parameters, variance: float) -> float:
    """Of the phase that is looked up for an input of this variance."""
    return variance + modulus_switch(p) + (key_switch(p) if p.switch_first else 0)


def log2_failure(margin: float, variance: float) -> float:
    """Of the probability that noise of this variance is beyond the margin: erfc(m / sqrt(2 V))."""
    x = margin / math.sqrt(2 * variance)
    if x < 20:
        return math.log2(math.erfc(x))
    # The first terms of erfc's asymptotic series, which the double would underflow.
    return -(x**2) * math.log2(math.e) - math.log2(x * math.sqrt(math.pi)) + math.log2(1 - 1 / (2 * x**2))


def worst_gate(p: Parameters) -> float:
    """log2 of the failure of the worst gate: squared factors and margin of two inputs, XOR, MAJ and MUX, XOR3."""
    gates = ((2, 1 / 8), (8, 1 / 4), (3, 1 / 8), (12, 1 / 4))
    return max(log2_failure(margin, decision(p, weight * bootstrapped(p))) for weight, margin in gates)


def tolerance(variance: float) -> int:
    """Eight deviations, in units of 2^-64, rounded up."""
    return math.ceil(8 * math.sqrt(variance) * 2.0**64)
