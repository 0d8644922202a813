"""native-files.json: whole files from seeds, byte for byte."""

from __future__ import annotations

import hashlib

import numpy as np

from reference import chacha20, keys, native_file, noise

from . import keys as known
from .steps import packed_rows


def _file(given) -> bytes:
    secret = known.secret(given["set"], given["secret_key"])
    p = secret.parameters
    if given["kind"] == "secret key":
        return native_file.secret_key(secret)
    if given["kind"] == "cloud key":
        return native_file.cloud_key(known.cloud(given["set"], given["secret_key"], given["cloud_key"]))
    seed = chacha20.test_seed(given["ciphertexts"])
    if given["kind"] in ("seeded ciphertexts", "ciphertext list"):
        messages = keys.encode_bits(i % 3 == 1 for i in range(40))
        bodies = keys.lwe_bodies(secret.wire, messages, p.fresh_deviation, seed)
        if given["kind"] == "seeded ciphertexts":
            return native_file.seeded(p, secret.id, chacha20.mask_seed(seed), bodies)
        masks = chacha20.masks(
            chacha20.mask_seed(seed), chacha20.CIPHERTEXTS, np.arange(len(bodies)), len(secret.wire), 32)
        return native_file.ciphertext_list(p, secret.id, noise.fresh(p), masks, bodies)
    messages = np.arange(100, dtype=np.uint64) << np.uint64(56)
    bodies = packed_rows(secret, messages, 64, seed)
    return native_file.packed(p, secret.id, chacha20.mask_seed(seed), 64, bodies)


def _native_files(given):
    file = _file(given)
    return {"bytes": len(file), "sha256": hashlib.sha256(file).hexdigest()}


CHECKS = {"native-files": _native_files}
