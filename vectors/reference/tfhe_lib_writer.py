"""Our keys and ciphertexts in the form of the TFHE library's files (version 1.1), as parts of bytes.

Our key-switching key has, for each bit and level, a sample for 1; the library's has one for each value h of a
digit. Those for h > 1 are h times ours, or encrypted afresh from a seed: row number (i t + j) base + h of its
streams.
"""

from __future__ import annotations

import decimal
import struct

import numpy as np

from . import chacha20, gadget, gaussian, tfhe_lib, torus
from .keys import CloudKey, SecretKey, inner
from .parameters import Parameters

# What the library's own sets have; it computes nothing from it.
_ALPHA_MAX = 0.012467
_ROWS = 512  # of the key-switching key, made together


def _power(log2: float) -> float:
    """The double nearest to 2^log2."""
    with decimal.localcontext() as context:
        context.prec = 60
        return float(decimal.Decimal(2) ** decimal.Decimal(log2))


def _section(title: str, **fields) -> bytes:
    """Integers in ten columns, reals with eight decimals, names in the order of their bytes."""
    lines = [f"-----BEGIN {title}-----"]
    for name in sorted(fields):
        value = fields[name]
        lines.append(f"{name}: {value:.8f}" if isinstance(value, float) else f"{name}: {value:10d}")
    return "\n".join([*lines, f"-----END {title}-----", ""]).encode("ascii")


def parameters(p: Parameters) -> bytes:
    return b"".join((
        _section("GATEBOOTSPARAMS", ks_basebit=p.switch_base_log, ks_t=p.switch_levels),
        _section("LWEPARAMS", alpha_max=_ALPHA_MAX, alpha_min=_power(p.lwe_noise), n=p.n),
        _section("TLWEPARAMS", N=p.size, alpha_max=_ALPHA_MAX, alpha_min=_power(p.tlwe_noise), k=p.k),
        _section("TGSWPARAMS", Bgbit=p.base_log, l=p.levels),
    ))


def _fresh(secret: SecretKey, seed: bytes, rows, digit: int) -> np.ndarray:
    """Samples of `digit` times the message of each row."""
    p = secret.parameters
    numbers = rows * (1 << p.switch_base_log) + digit
    masks = chacha20.masks(chacha20.mask_seed(seed), chacha20.KEY_SWITCH_KEY, numbers, p.n, 32)
    noise = torus.narrow(gaussian.noise(seed, chacha20.KEY_SWITCH_KEY, numbers, 1, p.lwe_deviation), 32)[:, 0]
    weights = np.array([gadget.weight(p.switch_base_log, level) for level in rows % p.switch_levels], np.uint64)
    messages = weights * np.uint64(digit) * secret.large[rows // p.switch_levels]
    return np.concatenate((masks, (inner(masks, secret.small) + messages + noise)[:, None]), 1)


def cloud_key(cloud: CloudKey, fresh: tuple[SecretKey, bytes] | None = None):
    """The parts of a cloud key set; `fresh` are the secret key and the seed of samples for h > 1."""
    p, base = cloud.parameters, 1 << cloud.parameters.switch_base_log
    yield parameters(p)
    yield _section("LWEKSPARAMS", basebit=p.switch_base_log, n=p.large, t=p.switch_levels)
    yield struct.pack("<id", tfhe_lib.SWITCH_KEY, _power(2 * p.lwe_noise))
    ours = np.concatenate((cloud.switch_masks(), cloud.switch), 1)
    for start in range(0, len(ours), _ROWS):
        first = ours[start : start + _ROWS]
        samples = np.zeros((len(first), base, p.n + 1), np.uint64)
        samples[:, 1] = first
        for digit in range(2, base):
            samples[:, digit] = (first * np.uint64(digit) if fresh is None
                                 else _fresh(*fresh, np.arange(start, start + len(first)), digit))
        yield torus.to_bytes(samples, 32)
    yield struct.pack("<id", tfhe_lib.BOOTSTRAP_KEY, _power(2 * p.tlwe_noise))
    for bit in range(p.n):
        yield torus.to_bytes(cloud.tgsw(bit, 1), 32)


def secret_key(cloud: CloudKey, secret: SecretKey):
    """The parts of a secret key set: the cloud key set, and the keys."""
    yield from cloud_key(cloud)
    for uid, key in ((tfhe_lib.LWE_KEY, secret.small), (tfhe_lib.TGSW_KEY, secret.large)):
        yield struct.pack("<i", uid) + key.astype("<i4").tobytes()


def ciphertexts(p: Parameters, samples):
    """The parts of a file of fresh ciphertexts, with the variance of their noise."""
    variance = struct.pack("<d", (p.fresh_deviation / 2.0**64) ** 2)
    for sample in samples:
        yield struct.pack("<i", tfhe_lib.LWE) + torus.to_bytes(sample, 32) + variance
