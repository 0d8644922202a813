"""bootstraps.json: what goes through a transform in the Rust; here in exact integers, word for word."""

from __future__ import annotations

import numpy as np

from reference import bootstrap, chacha20, keys, noise
from reference.parameters import SETS
from reference.tlwe import sample_extract

from . import keys as known
from .steps import table
from .vector import bits, show_bits, word


def _accumulator(given, row: int) -> np.ndarray:
    p, seed = SETS[given["set"]], bytes.fromhex(given["mask_seed"])
    return chacha20.masks(seed, chacha20.CIPHERTEXTS, row, p.large + p.size, 64).reshape(p.k + 1, p.size)


def _external_products(given):
    p, _, cloud = known.inputs(given)
    sample = cloud.tgsw(given["sample"], 1)[0]
    product = bootstrap.external_product(sample, _accumulator(given, given["row"]), p.base_log, p.levels)
    return {"words": product.reshape(-1)}


def _blind_rotation_steps(given):
    p, _, cloud = known.inputs(given)
    count = len(p.patterns)
    samples = cloud.tgsw(given["step"] * count, count)
    after = [bootstrap.step(samples, shifts, _accumulator(given, row), p.base_log, p.levels)
             for row, shifts in zip(given["rows"], given["shifts"])]
    if not len(after) == len(given["rows"]) == len(given["shifts"]):
        raise ValueError("not as many shifts as rows")
    return {"words": np.concatenate(after).reshape(-1)}


_PLAIN = {
    "NAND": lambda a, b: not (a and b), "AND": lambda a, b: a and b, "OR": lambda a, b: a or b,
    "NOR": lambda a, b: not (a or b), "XOR": lambda a, b: a != b, "XNOR": lambda a, b: a == b,
    "ANDNY": lambda a, b: not a and b, "ANDYN": lambda a, b: a and not b,
    "ORNY": lambda a, b: not a or b, "ORYN": lambda a, b: a or not b,
    "MAJ": lambda a, b, c: a + b + c >= 2, "XOR3": lambda a, b, c: a ^ b ^ c,
    "MUX": lambda select, then, otherwise: then if select else otherwise,
}


def _gates(given):
    """The bit is that of the gate's name on plain bits, and what the computed sample decrypts to."""
    p, secret, cloud = known.inputs(given)
    seed, plain = chacha20.test_seed(given["ciphertexts"]), bits(given["bits"])
    masks = chacha20.masks(chacha20.mask_seed(seed), chacha20.CIPHERTEXTS, np.arange(plain.size), p.wire, 32)
    bodies = keys.lwe_bodies(secret.wire, keys.encode_bits(plain), p.fresh_deviation, seed)
    operands = list(np.concatenate((masks, bodies[:, None]), 1))
    for combination in given["eighths"]:
        terms = zip(combination["factors"], operands)
        total = sum(np.uint64(factor % 2**64) * operand for factor, operand in terms)
        total[-1:] += np.uint64(combination["constant"] * (1 << 61) % 2**64)
        signs = bootstrap.sign_table(p.size, combination["amplitude"] << 61)
        operands.append(bootstrap.between_gates(cloud, total, signs))
    result = operands[-1]
    bit = bool(_PLAIN[given["gate"]](*(bool(x) for x in plain)))
    if (_phase(result, secret) >> 63 == 0) != bit:
        raise ValueError("the computed sample decrypts to the other bit")
    return {"bit": show_bits([bit]), "sample": result}


def _functional_bootstraps(given):
    p, secret, cloud = known.inputs(given)
    seed, message = chacha20.test_seed(given["ciphertexts"]), np.array([word(given["message"])], np.uint64)
    packed = np.zeros((p.k + 1, p.size), np.uint64)
    masks = chacha20.masks(chacha20.mask_seed(seed), chacha20.CIPHERTEXTS, 0, p.large, 32)
    packed[: p.k] = masks.reshape(p.k, p.size)
    packed[p.k, :1] = keys.packed_bodies(p, secret.large, message, 0, p.fresh_deviation, seed)
    values = table(given["table"], p.size)
    result = bootstrap.between_gates(cloud, sample_extract(packed, 0), values)
    expected = bootstrap.look_up(values, int(message[0]) >> 32) << 32
    error = abs((_phase(result, secret) - expected + 2**63) % 2**64 - 2**63) / 2**64
    # The looked-up phase is off by 2^-8.9 at most in deviation, and these tables are no steeper than 1.
    if error > 2.0**-6:
        raise ValueError(f"the computed sample is {error} off the table's value")
    return {"sample": result}


def _phase(sample, secret) -> int:
    """Of 64 bits."""
    return (int(sample[-1]) - int(keys.inner(sample[:-1], secret.wire))) % 2**64


CHECKS = {
    "external-products": _external_products,
    "blind-rotation-steps": _blind_rotation_steps,
    "gates": _gates,
    "functional-bootstraps": _functional_bootstraps,
}


def _product_tolerance(given):
    return {"words": noise.tolerance(noise.transform(SETS[given["set"]]))}


def _step_tolerance(given):
    p = SETS[given["set"]]
    return noise.tolerance(2 * len(p.patterns) * noise.transform(p))


def _phase_tolerance(given):
    """Two independent draws of a bootstrap's noise."""
    return {"sample": noise.tolerance(2 * noise.bootstrapped(SETS[given["set"]]))}


TOLERANCES = {
    "external-products": _product_tolerance,
    "blind-rotation-steps": lambda given: {"words": _step_tolerance(given)},
    "blind-rotations": lambda given: {"largest_step_error": _step_tolerance(given)},
    "gates": _phase_tolerance,
    "functional-bootstraps": _phase_tolerance,
}
