"""TLWE samples, arrays (k + 1, N) with the body last, and the LWE samples that they hold (tfhe-core, `tlwe`)."""

from __future__ import annotations

import numpy as np

from .polynomial import rotate


def sample_extract(tlwe, index: int) -> np.ndarray:
    """The LWE sample of coefficient `index`: mask q N + i is A_q[index - i], negated where it wraps."""
    size = tlwe.shape[-1]
    # A rotation by N - 1 - index brings the coefficient to the top; read downwards, nothing wraps any more.
    masks = [rotate(a, size - 1 - index)[::-1] for a in tlwe[:-1]]
    return np.concatenate(masks + [tlwe[-1][index : index + 1]])
