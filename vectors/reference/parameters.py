"""The named parameter sets (tfhe-core, `parameters`), transcribed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from . import gaussian


@dataclass(frozen=True)
class Parameters:
    name: str
    n: int  # dimension of the small key
    ring: int  # N', size of the small key's polynomials; 1 without
    block_binary: bool  # at most one bit of d set
    lwe_noise: float  # log2 of the torus
    k: int  # polynomials of the large key
    size: int  # N
    tlwe_noise: float
    base_log: int  # of the accumulator's decomposition
    levels: int
    switch_base_log: int  # of the key switch's
    switch_levels: int
    bits: int  # of the bootstrapping key's torus
    step: int  # d, key bits a step
    switch_first: bool

    @property
    def large(self) -> int:
        """k N."""
        return self.k * self.size

    @property
    def wire(self) -> int:
        """The dimension of ciphertexts between gates."""
        return self.large if self.switch_first else self.n

    @property
    def patterns(self) -> list[int]:
        """For each TGSW sample of a step, the number of the key bits that it stands for, the first one lowest."""
        return [1 << j for j in range(self.step)] if self.block_binary else list(range(1, 1 << self.step))

    @property
    def lwe_deviation(self) -> int:
        return gaussian.deviation(self.lwe_noise)

    @property
    def tlwe_deviation(self) -> int:
        return gaussian.deviation(self.tlwe_noise)

    @property
    def fresh_deviation(self) -> int:
        """Of fresh ciphertexts: their key's, but on 32 bits never below 4 units."""
        return gaussian.deviation(max(self.tlwe_noise, -30.0)) if self.switch_first else self.lwe_deviation


_GATES_DEFAULT = Parameters(
    name="GATES_DEFAULT", n=640, ring=128, block_binary=False, lwe_noise=-13.778, k=3, size=512, tlwe_noise=-36.8,
    base_log=18, levels=1, switch_base_log=1, switch_levels=13, bits=48, step=2, switch_first=True)
_FUNCTIONAL_2048 = Parameters(
    name="FUNCTIONAL_2048", n=832, ring=64, block_binary=False, lwe_noise=-18.71, k=1, size=2048, tlwe_noise=-49.9,
    base_log=23, levels=1, switch_base_log=2, switch_levels=8, bits=64, step=2, switch_first=True)
_TFHE_LIB_V1_1 = Parameters(
    name="TFHE_LIB_V1_1", n=630, ring=1, block_binary=False, lwe_noise=-15.0, k=1, size=1024, tlwe_noise=-25.0,
    base_log=7, levels=3, switch_base_log=2, switch_levels=8, bits=32, step=1, switch_first=False)

SETS = {p.name: p for p in (
    _GATES_DEFAULT,
    dataclasses.replace(_GATES_DEFAULT, name="GATES_BLOCK_BINARY", n=672, ring=32, block_binary=True,
                        lwe_noise=-13.81, step=3),
    dataclasses.replace(_FUNCTIONAL_2048, name="FUNCTIONAL_1024", n=768, ring=256, lwe_noise=-17.06, k=2,
                        size=1024, switch_base_log=1, switch_levels=14),
    _FUNCTIONAL_2048,
    dataclasses.replace(_TFHE_LIB_V1_1, name="TFHE_LIB_V1_0_1", n=500, lwe_noise=-15.32274553004241,
                        tlwe_noise=-27.05338583820347, base_log=10, levels=2),
    _TFHE_LIB_V1_1,
)}
