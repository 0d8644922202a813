"""toy.json: a set without noise, so small that every intermediate of a bootstrap is recorded."""

from __future__ import annotations

import functools
import math

import numpy as np

from reference import bootstrap, chacha20, key_switch, keys, noise, torus
from reference.parameters import Parameters
from reference.polynomial import rotate
from reference.tlwe import sample_extract

from .vector import bits, show, show_bits, word

_EIGHTH = 1 << 61


@functools.cache
def _keys(step: int, secret_number: int, cloud_number: int):
    p = Parameters(
        name="toy", n=4, ring=1, block_binary=False, lwe_noise=-math.inf, k=1, size=32, tlwe_noise=-math.inf,
        base_log=8, levels=2, switch_base_log=4, switch_levels=3, bits=64, step=step, switch_first=True)
    secret = keys.secret_key(p, chacha20.test_seed(secret_number))
    return p, secret, keys.cloud_key(secret, chacha20.test_seed(cloud_number))


def _given_keys(given):
    return _keys(given["bits_a_step"], given["secret_key"], given["cloud_key"])


def _toy_keys(given):
    p, secret, cloud = _given_keys(given)
    set_ = {"n": p.n, "N": p.size, "k": p.k, "base_log": p.base_log, "levels": p.levels,
            "key_switch_base_log": p.switch_base_log, "key_switch_levels": p.switch_levels}
    if given["set"] != set_:
        raise ValueError(f"the set is {given['set']}")
    samples = cloud.tgsw(0, len(cloud.bootstrap))
    switch = np.concatenate((cloud.switch_masks(), cloud.switch), 1)
    return {
        "small": show_bits(secret.small),
        "large": show_bits(secret.large),
        "mask_seed": cloud.masks.hex(),
        "bootstrap_key": [[show(row, 64) for row in sample] for sample in samples],
        "key_switch_key": [show(row, 32) for row in switch],
    }


def _encrypt(secret: keys.SecretKey, messages, number: int) -> np.ndarray:
    """Samples under the large key, without noise."""
    seed, size = chacha20.test_seed(number), secret.large.size
    masks = chacha20.masks(chacha20.mask_seed(seed), chacha20.CIPHERTEXTS, np.arange(len(messages)), size, 32)
    bodies = keys.lwe_bodies(secret.large, messages, 0, seed)
    return np.concatenate((masks, bodies[:, None]), 1)


def _bootstrap(given, samples, total, table):
    """What a bootstrap of `total` goes through."""
    p, secret, cloud = _given_keys(given)
    small = key_switch.switch_with(cloud, total)
    mask, body = bootstrap.modulus_switch(small[:-1], small[-1], p.size)
    accumulator, count = bootstrap.start(table, body, p.k), len(p.patterns)
    exponents = [bootstrap.shifts(p.patterns, mask[i : i + p.step], p.size) for i in range(0, p.n, p.step)]
    outputs = {
        "1 ciphertexts": [show(sample, 32) for sample in samples],
        "2 sum": show(total, 32),
        "3 key switched": show(small, 32),
        "4 modulus switched": {"mask": mask, "body": body},
        "5 table": show(table, 64),
        "6 start": show(accumulator, 64),
        "7 shifts": exponents,
    }
    for number, shifts in enumerate(exponents):
        accumulator = bootstrap.step(
            cloud.tgsw(number * count, count), shifts, accumulator, p.base_log, p.levels)
        outputs[f"8 accumulator {number + 1}"] = show(accumulator, 64)
    extracted = sample_extract(accumulator, 0)
    slot = (body - sum(a for a, bit in zip(mask, secret.small) if bit)) % (2 * p.size)
    outputs["9 extracted"] = show(extracted, 64)
    outputs["9 phase"] = show(extracted[-1:] - keys.inner(extracted[:-1], secret.large), 64)
    outputs["9 slot"] = slot
    outputs["9 value of the slot"] = show(torus.narrow(rotate(table, -slot)[0], 32), 32)
    return outputs


def _toy_nand(given):
    p, secret, _ = _given_keys(given)
    operands = bits(given["bits"])
    samples = _encrypt(secret, keys.encode_bits(operands), given["ciphertexts"])
    total = -samples.sum(0, dtype=np.uint64)
    total[-1:] += np.uint64(_EIGHTH)
    outputs = _bootstrap(given, samples, total, bootstrap.sign_table(p.size, _EIGHTH))
    return {**outputs, "bit": show_bits([not operands.all()])}


def _toy_square(given):
    p, secret, _ = _given_keys(given)
    samples = _encrypt(secret, np.array([word(given["message"])], np.uint64), given["ciphertexts"])
    return _bootstrap(given, samples, samples[0], bootstrap.function_table(p.size, lambda x: x * x))


CHECKS = {"toy-keys": _toy_keys, "toy-nand": _toy_nand, "toy-square": _toy_square}


def _tolerance(given):
    """Of the accumulator, a step adds r products times X^e - 1; the phase sums as many words as there are."""
    p, _, _ = _given_keys(given)
    after = [noise.tolerance(2 * number * len(p.patterns) * noise.transform(p))
             for number in range(1, p.n // p.step + 1)]
    outputs = {f"8 accumulator {number}": value for number, value in enumerate(after, 1)}
    return {**outputs, "9 extracted": after[-1], "9 phase": after[-1] * (1 + p.large)}


TOLERANCES = {"toy-nand": _tolerance, "toy-square": _tolerance}


def page(vectors) -> str:
    """One NAND of the toy set with all between its two inputs and its output: a page of some 70 lines."""
    cases = {vector["name"]: vector["cases"] for vector in vectors}
    keys_, nand = cases["toy-keys"][0]["outputs"], cases["toy-nand"][0]
    given, lines = nand["inputs"], []

    def add(name, value):
        if isinstance(value, list) and isinstance(value[0], str):
            for number, item in enumerate(value):
                add(f"{name} {number}", item)
            return
        words_ = value.split() if isinstance(value, str) else [str(value)]
        a_line = 136 // (len(words_[0]) + 1) or 1
        rows = [" ".join(words_[start : start + a_line]) for start in range(0, len(words_), a_line)]
        lines.extend(f"{name if row == 0 else '':<20}{text}" for row, text in enumerate(rows))

    lines.append("A NAND under the toy set: n = 4, N = 32, k = 1, no noise (vectors/README.md, `toy.json`, says what is what)")
    add("bits", given["bits"])
    add("small key", keys_["small"])
    add("large key", keys_["large"])
    for name, value in nand["outputs"].items():
        add(name, value)
    return "\n".join(lines)
