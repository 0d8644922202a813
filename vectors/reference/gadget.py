"""Gadget decomposition with balanced digits (tfhe-core, `gadget`).

x is rounded to the nearest multiple of B^-l (half up) without wrapping at 1/2, and written as sum d_i B^-i with
digits of -B/2 to B/2. A remainder of just B/2 may be either digit; the next higher digit decides, before it is
balanced itself: the remainder becomes -B/2, with a carry, where that digit is B/2 or more.
"""

from __future__ import annotations

import numpy as np


def digits(x, base_log: int, levels: int) -> np.ndarray:
    """int64, (levels, ..): level 0 is the most significant, of weight 1/B."""
    base, half = np.int64(1 << base_log), np.int64(1 << (base_log - 1))
    cut = np.int64(63 - base_log * levels)
    rest = ((np.asarray(x, np.uint64).view(np.int64) >> cut) + np.int64(1)) >> np.int64(1)
    result = np.empty((levels,) + rest.shape, np.int64)
    for level in range(levels - 1, 0, -1):
        remainder, rest = rest % base, rest // base
        carry = (remainder > half) | ((remainder == half) & (rest % base >= half))
        result[level] = remainder - base * carry
        rest = rest + carry
    result[0] = rest
    return result


def weight(base_log: int, level: int) -> int:
    """B^-(level + 1), in units of 2^-64."""
    return 1 << (64 - base_log * (level + 1))
