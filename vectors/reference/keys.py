"""Secret keys, cloud keys and fresh ciphertexts, from seeds (docs/formats.md, "Masks" and "Bodies")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import chacha20, gadget, gaussian, torus
from .parameters import Parameters
from .polynomial import Bits


@dataclass
class SecretKey:
    parameters: Parameters
    id: bytes
    small: np.ndarray  # n bits
    large: np.ndarray  # k N bits: k polynomials from the constant coefficient up

    @property
    def wire(self) -> np.ndarray:
        return self.large if self.parameters.switch_first else self.small


@dataclass
class CloudKey:
    """Masks are kept as their seed, and rows expanded where they are used."""

    parameters: Parameters
    id: bytes
    masks: bytes
    bootstrap: np.ndarray  # (TGSW samples, rows, N) bodies
    switch: np.ndarray  # (rows, N') bodies

    def tgsw(self, first: int, count: int) -> np.ndarray:
        """`count` TGSW samples of the bootstrapping key from number `first` on: (count, rows, k + 1, N)."""
        p, rows = self.parameters, self.bootstrap.shape[1]
        numbers = np.arange(first * rows, (first + count) * rows)
        masks = chacha20.masks(self.masks, chacha20.BOOTSTRAP_KEY, numbers, p.large, p.bits)
        masks = masks.reshape(count, rows, p.k, p.size)
        return np.concatenate((masks, self.bootstrap[first : first + count, :, None]), 2)

    def switch_masks(self) -> np.ndarray:
        """(rows, n)"""
        numbers = np.arange(len(self.switch))
        return chacha20.masks(self.masks, chacha20.KEY_SWITCH_KEY, numbers, self.parameters.n, 32)


def inner(mask, key) -> np.ndarray:
    """<a, s> for the rows of `mask`."""
    return (mask * np.asarray(key, np.uint64)).sum(-1, dtype=np.uint64)


def secret_bits(seed: bytes, purpose: int, count: int) -> np.ndarray:
    """The lowest bit of every 32 of the stream."""
    return chacha20.words32(seed, purpose, 0, count)[0] & np.uint64(1)


def secret_blocks(seed: bytes, purpose: int, count: int, block: int) -> np.ndarray:
    """Of every 64 bits u of the stream, floor(u (block + 1) / 2^64): the place of the set bit, or none."""
    words = chacha20.words64(seed, purpose, 0, count // block)[0]
    cases = [int(u) * (block + 1) >> 64 for u in words]
    return np.array([case == place for case in cases for place in range(block)], np.uint64)


def secret_key(p: Parameters, seed: bytes) -> SecretKey:
    if p.block_binary:
        small = secret_blocks(seed, chacha20.SMALL_KEY, p.n, p.step)
    else:
        small = secret_bits(seed, chacha20.SMALL_KEY, p.n)
    large = secret_bits(seed, chacha20.LARGE_KEY, p.large)
    return SecretKey(p, chacha20.keystream(seed, chacha20.IDENTITY, 0, 16).tobytes(), small, large)


def tgsw_bodies(p: Parameters, large, bits, samples, seed: bytes, multiplier: Bits | None = None) -> np.ndarray:
    """The bodies of TGSW samples numbered `samples` of the messages `bits`: (samples, rows, N).

    Row q l + i has the phase m B^-(i+1) times -S_q, or times 1 for q = k. All is summed on 64 bits, noise
    included, and rounded once to the torus of the key.
    """
    samples, rows = np.asarray(samples, np.uint64), (p.k + 1) * p.levels
    numbers = (samples[:, None] * np.uint64(rows) + np.arange(rows, dtype=np.uint64)).reshape(-1)
    masks = chacha20.masks(chacha20.mask_seed(seed), chacha20.BOOTSTRAP_KEY, numbers, p.large, p.bits)
    bodies = (multiplier or Bits(large, p.size)).product(masks)
    bodies += gaussian.noise(seed, chacha20.BOOTSTRAP_KEY, numbers, p.size, p.tlwe_deviation)
    bodies = bodies.reshape(samples.size, p.k + 1, p.levels, p.size)
    polynomials = large.reshape(p.k, p.size)
    for level in range(p.levels):
        weights = np.asarray(bits, np.uint64) * np.uint64(gadget.weight(p.base_log, level))
        bodies[:, : p.k, level] -= weights[:, None, None] * polynomials
        bodies[:, p.k, level, 0] += weights
    return torus.narrow(bodies, p.bits).reshape(samples.size, rows, p.size)


def switch_bodies(p: Parameters, secret: SecretKey, seed: bytes) -> np.ndarray:
    """Row (i, level): a sample under the small key of the i-th N' bits of the large key times B^-(level + 1)."""
    numbers = np.arange(p.large // p.ring * p.switch_levels)
    masks = chacha20.masks(chacha20.mask_seed(seed), chacha20.KEY_SWITCH_KEY, numbers, p.n, 32)
    noise = torus.narrow(gaussian.noise(seed, chacha20.KEY_SWITCH_KEY, numbers, p.ring, p.lwe_deviation), 32)
    weights = np.array([gadget.weight(p.switch_base_log, level) for level in range(p.switch_levels)], np.uint64)
    messages = secret.large.reshape(-1, 1, p.ring) * weights[:, None]
    return Bits(secret.small, p.ring).product(masks) + messages.reshape(-1, p.ring) + noise


def cloud_key(secret: SecretKey, seed: bytes) -> CloudKey:
    p = secret.parameters
    # A step's bits as a number, the first one lowest; sample j is of 1 where that number is its pattern.
    values = secret.small.reshape(-1, p.step) @ (np.uint64(1) << np.arange(p.step, dtype=np.uint64))
    bits = (values[:, None] == np.array(p.patterns, np.uint64)).reshape(-1)
    multiplier = Bits(secret.large, p.size)
    bodies = np.concatenate([
        tgsw_bodies(p, secret.large, bits[numbers], numbers, seed, multiplier)
        for numbers in np.split(np.arange(bits.size), range(64, bits.size, 64))])
    return CloudKey(p, secret.id, chacha20.mask_seed(seed), bodies, switch_bodies(p, secret, seed))


def encode_bits(bits) -> np.ndarray:
    """1/8 for true, -1/8 for false."""
    return np.array([1 << 61 if bit else 7 << 61 for bit in bits], np.uint64)


def lwe_bodies(key, messages, deviation: int, seed: bytes) -> np.ndarray:
    """Fresh samples' bodies: masks are rows 0, 1, .. of the mask seed, noise is all from the stream of row 0."""
    count = len(messages)
    masks = chacha20.masks(chacha20.mask_seed(seed), chacha20.CIPHERTEXTS, np.arange(count), len(key), 32)
    noise = gaussian.noise(seed, chacha20.CIPHERTEXTS, 0, count, deviation)[0]
    return inner(masks, key) + messages + torus.narrow(noise, 32)


def packed_bodies(p: Parameters, large, messages, row: int, deviation: int, seed: bytes) -> np.ndarray:
    """One row of up to N messages in a TLWE sample: masks and noise are those of the row."""
    masks = chacha20.masks(chacha20.mask_seed(seed), chacha20.CIPHERTEXTS, row, p.large, 32)
    noise = gaussian.noise(seed, chacha20.CIPHERTEXTS, row, len(messages), deviation)[0]
    product = Bits(large, p.size).product(masks)[0, : len(messages)]
    return product + messages + torus.narrow(noise, 32)
