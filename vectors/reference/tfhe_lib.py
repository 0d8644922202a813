"""The files of the TFHE library (1.0 to 1.1): text sections of parameters, and binary content that these give the
size of.

Everything is little-endian. Torus elements, of 32 bits in the files, are held here as words of 64. A `Reader`
reads one object after another, since the library concatenates them freely.

    lwe sample       42, n masks, body, variance
    tlwe sample      84, (k + 1) N coefficients, variance
    tgsw sample     168, (k + 1) l tlwe samples
    lwe, tlwe, tgsw key  43, 85, 169, a number of 32 bits a key bit
    key-switching key   200, variance, for bit i, level j, value h: n masks and a body of h S_i B^-(j+1)
    bootstrapping key   201, variance, for bit i: (k + 1) l rows of (k + 1) N coefficients
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from . import bootstrap, torus
from .keys import inner
from .polynomial import products, rotate
from .tlwe import sample_extract

LWE, LWE_KEY, TLWE, TLWE_KEY, TGSW, TGSW_KEY, SWITCH_KEY, BOOTSTRAP_KEY = 42, 43, 84, 85, 168, 169, 200, 201


@dataclass
class Parameters:
    n: int
    k: int
    size: int
    base_log: int
    levels: int
    switch_base_log: int
    switch_levels: int


@dataclass
class CloudKey:
    parameters: Parameters
    switch: np.ndarray  # (k N, t, base, n + 1)
    switch_variance: float
    bootstrap: np.ndarray  # (n, rows, k + 1, N)
    bootstrap_variance: float


class Reader:
    """Reads objects from bytes; ValueError says at which offset something else was found."""

    def __init__(self, data: bytes):
        self.data, self.offset = data, 0

    def at_end(self) -> bool:
        return self.offset == len(self.data)

    def take(self, length: int) -> bytes:
        if self.offset + length > len(self.data):
            raise ValueError(f"{length} bytes expected at offset {self.offset}, the file ends at {len(self.data)}")
        self.offset += length
        return self.data[self.offset - length : self.offset]

    def uid(self, expected: int):
        start = self.offset
        (found,) = struct.unpack("<i", self.take(4))
        if found != expected:
            raise ValueError(f"type {found} at offset {start}, not {expected}")

    def variance(self) -> float:
        return struct.unpack("<d", self.take(8))[0]

    def words(self, *shape: int) -> np.ndarray:
        count = int(np.prod(shape))
        return torus.from_bytes(self.take(4 * count), 32).reshape(shape)

    def section(self, title: str) -> dict[str, float]:
        """The numbers of a text section, by name."""
        def line():
            end = self.data.find(b"\n", self.offset)
            if end < 0:
                raise ValueError(f"section {title} is not ended")
            return self.take(end + 1 - self.offset)[:-1].decode("ascii")

        start, first = self.offset, line()
        if first != f"-----BEGIN {title}-----":
            raise ValueError(f"{first!r} at offset {start}, not the section {title}")
        fields = {}
        while True:
            text = line()
            if text == f"-----END {title}-----":
                return fields
            name, _, value = text.partition(": ")
            fields[name] = float(value)

    def parameters(self) -> Parameters:
        switch, lwe = self.section("GATEBOOTSPARAMS"), self.section("LWEPARAMS")
        tlwe, tgsw = self.section("TLWEPARAMS"), self.section("TGSWPARAMS")
        fields = (lwe["n"], tlwe["k"], tlwe["N"], tgsw["Bgbit"], tgsw["l"], switch["ks_basebit"], switch["ks_t"])
        return Parameters(*map(int, fields))

    def key(self, uid: int, count: int) -> np.ndarray:
        self.uid(uid)
        bits = np.frombuffer(self.take(4 * count), "<i4").astype(np.uint64)
        if bits.max() > 1:
            raise ValueError("a key's bit that is neither 0 nor 1")
        return bits

    def lwe_sample(self, dimension: int) -> np.ndarray:
        """The mask, then the body."""
        self.uid(LWE)
        words = self.words(dimension + 1)
        self.variance()
        return words

    def lwe_samples(self, dimension: int) -> list[np.ndarray]:
        """All to the end."""
        samples = []
        while not self.at_end():
            samples.append(self.lwe_sample(dimension))
        return samples

    def tlwe_sample(self, p: Parameters) -> np.ndarray:
        self.uid(TLWE)
        words = self.words(p.k + 1, p.size)
        self.variance()
        return words

    def tgsw_sample(self, p: Parameters) -> np.ndarray:
        self.uid(TGSW)
        return np.stack([self.tlwe_sample(p) for _ in range((p.k + 1) * p.levels)])

    def cloud_key(self) -> CloudKey:
        p = self.parameters()
        switch = self.section("LWEKSPARAMS")
        if (switch["n"], switch["basebit"], switch["t"]) != (p.k * p.size, p.switch_base_log, p.switch_levels):
            raise ValueError("a key-switching key of other parameters than the set's")
        self.uid(SWITCH_KEY)
        switch_variance = self.variance()
        samples = self.words(p.k * p.size, p.switch_levels, 1 << p.switch_base_log, p.n + 1)
        self.uid(BOOTSTRAP_KEY)
        variance = self.variance()
        rows = self.words(p.n, (p.k + 1) * p.levels, p.k + 1, p.size)
        return CloudKey(p, samples, switch_variance, rows, variance)

    def secret_key(self) -> tuple[CloudKey, np.ndarray, np.ndarray]:
        """The cloud key, the small key, the large one."""
        cloud = self.cloud_key()
        p = cloud.parameters
        return cloud, self.key(LWE_KEY, p.n), self.key(TGSW_KEY, p.k * p.size)


def phase(sample, key) -> int:
    """As a signed number of 32 bits."""
    word = int(sample[-1]) - int(inner(sample[:-1], key)) & 2**64 - 1
    return (word >> 32) - (word >> 63 << 32)


def floored_digits(tlwe, base_log: int, levels: int) -> np.ndarray:
    """The library's decomposition, (k + 1, levels, N): x + sum of B/2 B^-(u+1), cut into digits, each less B/2."""
    offset = sum(1 << (base_log - 1) << (64 - base_log * (u + 1)) for u in range(levels))
    shifted = tlwe + np.uint64(offset)
    half, low = np.int64(1 << (base_log - 1)), np.uint64((1 << base_log) - 1)
    return np.stack([(shifted >> np.uint64(64 - base_log * (u + 1)) & low).astype(np.int64) - half
                     for u in range(levels)], 1)


def bootstrap_without_switch(cloud: CloudKey, sample, amplitude: int) -> np.ndarray:
    """+-`amplitude` (a word of 64 bits) under the large key; the library's algorithm with exact products."""
    p = cloud.parameters
    shift = 64 - (2 * p.size).bit_length() + 1
    switched = [(int(x) + (1 << (shift - 1)) >> shift) % (2 * p.size) for x in sample]
    accumulator = bootstrap.start(bootstrap.sign_table(p.size, amplitude), switched[-1], p.k)
    for rows, exponent in zip(cloud.bootstrap, switched[:-1]):
        difference = rotate(accumulator, exponent) - accumulator
        digits = floored_digits(difference, p.base_log, p.levels).reshape(-1, p.size)
        accumulator = accumulator + products(digits, rows)
    return sample_extract(torus.narrow(accumulator, 32), 0)


def key_switch(cloud: CloudKey, sample) -> np.ndarray:
    """The library's: unsigned digits h of a + half a last unit, and a sample for every h."""
    p = cloud.parameters
    base, shifted = p.switch_base_log, sample[:-1] + np.uint64(1 << (63 - p.switch_base_log * p.switch_levels))
    result = np.zeros(p.n + 1, np.uint64)
    result[-1] = sample[-1]
    for level in range(p.switch_levels):
        values = shifted >> np.uint64(64 - (level + 1) * base) & np.uint64((1 << base) - 1)
        for i, h in enumerate(values):
            if h:
                result -= cloud.switch[i, level, h]
    return result


# Constant and factors of the inputs, in eighths.
GATES = {"NAND": (1, -1, -1), "OR": (1, 1, 1), "AND": (-1, 1, 1), "NOR": (-1, -1, -1), "XOR": (2, 2, 2),
         "XNOR": (-2, -2, -2), "ANDNY": (-1, -1, 1), "ANDYN": (-1, 1, -1), "ORNY": (1, -1, 1), "ORYN": (1, 1, -1)}
EIGHTH = 1 << 61


def _combine(constant: int, terms) -> np.ndarray:
    result = sum(np.uint64(factor & (2**64 - 1)) * sample for factor, sample in terms)
    result[-1:] += np.uint64(constant * EIGHTH & (2**64 - 1))
    return result


def gate(cloud: CloudKey, name: str, inputs) -> np.ndarray:
    """A gate on samples: linear part, bootstrap, key switch. MUX has three inputs."""
    if name == "MUX":
        select, then, otherwise = inputs
        halves = (_combine(-1, ((1, select), (1, then))), _combine(-1, ((-1, select), (1, otherwise))))
        halves = [bootstrap_without_switch(cloud, half, EIGHTH) for half in halves]
        return key_switch(cloud, _combine(1, [(1, half) for half in halves]))
    constant, *factors = GATES[name]
    return key_switch(cloud, bootstrap_without_switch(cloud, _combine(constant, zip(factors, inputs)), EIGHTH))
