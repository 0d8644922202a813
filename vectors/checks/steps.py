"""steps.json: every deterministic step by itself."""

from __future__ import annotations

import numpy as np

from reference import bootstrap, chacha20, gadget, gaussian, key_switch, keys, polynomial, torus
from reference.parameters import SETS
from reference.tlwe import sample_extract

from . import keys as known
from .vector import bits, show, show_bits, sum_of_words, word, words

_FUNCTIONS = {
    "square": lambda x: x * x,
    "rectifier": lambda x: max(x, 0.0),
    "magnitude": lambda x: (abs(x) - 0.25) / 2.0,
    "quarter": lambda x: x / 4.0,
}


def _seeds(given):
    seed = chacha20.test_seed(given["number"])
    key_id = chacha20.keystream(seed, chacha20.IDENTITY, 0, 16).tobytes()
    return {"seed": seed.hex(), "mask_seed": chacha20.mask_seed(seed).hex(), "key_id": key_id.hex()}


def _random_streams(given):
    seed = bytes.fromhex(given["seed"])
    return {"bytes": chacha20.keystream(seed, given["purpose"], given["row"], 96).tobytes().hex()}


def _masks(given):
    seed, width = bytes.fromhex(given["mask_seed"]), given["width"]
    return {"words": show(chacha20.masks(seed, given["purpose"], given["row"], given["count"], width), width)}


def _secret_bits(given):
    return {"bits": show_bits(keys.secret_bits(bytes.fromhex(given["seed"]), given["purpose"], given["count"]))}


def _secret_blocks(given):
    seed = bytes.fromhex(given["seed"])
    return {"bits": show_bits(keys.secret_blocks(seed, given["purpose"], given["count"], given["block"]))}


def _normal_pairs(given):
    u, v = (np.array([word(given[name])], np.uint64) for name in "uv")
    return {"pair": [int(x[0]) for x in gaussian.normal_pair(u, v)]}


def _noise(given):
    seed, deviation = bytes.fromhex(given["seed"]), word(given["deviation"])
    return {"words": show(gaussian.noise(seed, given["purpose"], given["row"], given["count"], deviation), 64)}


def _standard_deviations(given):
    p = SETS[given["set"]]
    log2 = {"lwe": p.lwe_noise, "tlwe": p.tlwe_noise,
            "fresh": max(p.tlwe_noise, -30.0) if p.switch_first else p.lwe_noise}[given["of"]]
    if log2 != float(given["log2"]):
        raise ValueError(f"the set's is {log2}, the case's {given['log2']}")
    return {"deviation": show(gaussian.deviation(log2), 64)}


def _torus_from_real(given):
    return {"word": show(torus.from_double(float(given["real"]), given["width"]), given["width"])}


def _torus_to_real(given):
    return {"real": torus.to_double(word(given["word"]))}


def _torus_narrow(given):
    return {"word": show(torus.narrow(np.uint64(word(given["word"])), given["width"]), given["width"])}


def _decomposition(given):
    base_log, levels = given["base_log"], given["levels"]
    digits = gadget.digits(words(given["words"]), base_log, levels)
    weights = [gadget.weight(base_log, level) for level in range(levels)]
    return {"digits": digits.T.tolist(), "weights": show(weights, 64)}


def _modulus_switch(given):
    mask, body = bootstrap.modulus_switch(words(given["mask"]), word(given["body"]), given["size"])
    return {"mask": mask, "body": body}


def _products(given):
    return {"product": show(polynomial.schoolbook(bits(given["secret"]), words(given["mask"])), 64)}


def _large_products(given):
    size, width = given["size"], given["width"]
    mask = chacha20.masks(bytes.fromhex(given["mask_seed"]), chacha20.BOOTSTRAP_KEY, given["row"], size, width)
    secret = keys.secret_bits(bytes.fromhex(given["seed"]), chacha20.LARGE_KEY, size)
    product = polynomial.Bits(secret, size).product(mask)[0]
    return {"first": show(product[:4], 64), "sha256": sum_of_words(product, 64)}


def _rotations(given):
    return {"words": show(polynomial.rotate(words(given["words"]), given["power"]), 32)}


def _sample_extraction(given):
    sample = words(given["words"]).reshape(-1, given["size"])
    return {"words": show(sample_extract(sample, given["index"]), given["width"])}


def table(given, size: int) -> np.ndarray:
    """A lookup table by its description."""
    if given["kind"] == "sign":
        return bootstrap.sign_table(size, word(given["amplitude"]))
    return bootstrap.function_table(size, _FUNCTIONS[given["f"]])


def _lookup_tables(given):
    values = table(given["table"], given["size"])
    at = [bootstrap.look_up(values, int(phase, 16)) << 32 for phase in given["phases"].split()]
    return {"values": show(values, 64), "at": show(at, 32)}


def _secret_keys(given):
    key = known.secret(given["set"], given["secret_key"])
    return {"key_id": key.id.hex(), "small": show_bits(key.small), "large": show_bits(key.large)}


def _encryption(given):
    key, seed = known.secret(given["set"], given["secret_key"]), chacha20.test_seed(given["ciphertexts"])
    bodies = keys.lwe_bodies(key.wire, keys.encode_bits(bits(given["bits"])), key.parameters.fresh_deviation, seed)
    return {"mask_seed": chacha20.mask_seed(seed).hex(), "bodies": show(bodies, 32)}


def _packed_encryption(given):
    key, seed = known.secret(given["set"], given["secret_key"]), chacha20.test_seed(given["ciphertexts"])
    bodies = packed_rows(key, words(given["messages"]), given["row_len"], seed)
    return {"mask_seed": chacha20.mask_seed(seed).hex(), "bodies": show(bodies, 32)}


def packed_rows(key: keys.SecretKey, messages, length: int, seed: bytes) -> np.ndarray:
    """The bodies of all rows of a packed ciphertext."""
    p = key.parameters
    rows = [messages[start : start + length] for start in range(0, len(messages), length)]
    return np.concatenate([keys.packed_bodies(p, key.large, row, number, p.fresh_deviation, seed)
                           for number, row in enumerate(rows)])


def _bootstrap_key_rows(given):
    """Made alone, not taken from a whole key."""
    key, p, number = known.secret(given["set"], given["secret_key"]), SETS[given["set"]], given["sample"]
    place, pattern = number // len(p.patterns), p.patterns[number % len(p.patterns)]
    step = key.small[place * p.step : (place + 1) * p.step]
    message = sum(int(bit) << i for i, bit in enumerate(step)) == pattern
    bodies = keys.tgsw_bodies(p, key.large, [message], [number], chacha20.test_seed(given["cloud_key"]))
    row = bodies[0, given["row"]]
    return {"first": show(row[:4], p.bits), "sha256": sum_of_words(row, p.bits)}


def _key_switch_key_rows(given):
    p, _, cloud = known.inputs(given)
    row = cloud.switch[given["polynomial"] * p.switch_levels + given["level"]]
    return {"first": show(row[:4], 32), "sha256": sum_of_words(row, 32)}


def _key_switch(given):
    p, _, cloud = known.inputs(given)
    mask = chacha20.masks(bytes.fromhex(given["mask_seed"]), chacha20.CIPHERTEXTS, given["row"], p.large, 32)[0]
    sample = np.append(mask, np.uint64(word(given["body"])))
    masks = known.switch_masks(given["set"], given["secret_key"], given["cloud_key"])
    return {"words": show(key_switch.switch_with(cloud, sample, masks), 32)}


CHECKS = {
    "seeds": _seeds,
    "random-streams": _random_streams,
    "masks": _masks,
    "secret-bits": _secret_bits,
    "secret-blocks": _secret_blocks,
    "normal-pairs": _normal_pairs,
    "noise": _noise,
    "standard-deviations": _standard_deviations,
    "torus-from-real": _torus_from_real,
    "torus-to-real": _torus_to_real,
    "torus-narrow": _torus_narrow,
    "decomposition": _decomposition,
    "modulus-switch": _modulus_switch,
    "products": _products,
    "large-products": _large_products,
    "rotations": _rotations,
    "sample-extraction": _sample_extraction,
    "lookup-tables": _lookup_tables,
    "secret-keys": _secret_keys,
    "encryption": _encryption,
    "packed-encryption": _packed_encryption,
    "bootstrap-key-rows": _bootstrap_key_rows,
    "key-switch-key-rows": _key_switch_key_rows,
    "key-switch": _key_switch,
}
