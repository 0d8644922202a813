"""Key switching from the large key to the small one (tfhe-core, `keyswitch`); elements of 32 bits.

Without structure: (0, b) - sum over i, level of digit(a_i) K_(i, level). Where the small key is made of
polynomials of N' bits, N' masks at a time are one polynomial, A_m = a_0 - sum over j > 0 of a_j X^(N' - j), whose
product with the N' bits has the sum of a_j S_j as its constant coefficient; and that coefficient is extracted from
(0, b) - sum of digit(A_m) K. The first is the second for N' = 1.
"""

from __future__ import annotations

import numpy as np

from . import gadget
from .polynomial import products
from .tlwe import sample_extract

# Rows whose products are summed at once: those limbs' sums are exact.
_ROWS = 16


def gather(mask, ring: int) -> np.ndarray:
    """The masks as polynomials A_m: (k N / N', N')."""
    a = mask.reshape(-1, ring)
    return np.concatenate((a[:, :1], -a[:, :0:-1]), 1)


def switch(mask, body, masks, bodies, ring: int, base_log: int, levels: int) -> np.ndarray:
    """`masks` (rows, n) and `bodies` (rows, N') are those of the key, row (m, level) being m t + level."""
    digits = gadget.digits(gather(mask, ring), base_log, levels)  # (levels, k N / N', N')
    digits = np.swapaxes(digits, 0, 1).reshape(-1, ring)
    rows = np.concatenate((masks.reshape(len(masks), -1, ring), bodies[:, None]), 1)
    if ring == 1:
        sum_ = (digits.astype(np.uint64) * rows[:, :, 0]).sum(0, dtype=np.uint64)[:, None]
    else:
        sum_ = np.zeros(rows.shape[1:], np.uint64)
        for start in range(0, len(rows), _ROWS):
            sum_ += products(digits[start : start + _ROWS], rows[start : start + _ROWS])
    result = -sum_
    result[-1, :1] += np.uint64(body)
    return sample_extract(result, 0)


def switch_with(cloud, sample, masks=None) -> np.ndarray:
    """A sample under the large key, by a cloud key whose masks may be given if they have been expanded already."""
    p = cloud.parameters
    masks = cloud.switch_masks() if masks is None else masks
    return switch(sample[:-1], sample[-1], masks, cloud.switch, p.ring, p.switch_base_log, p.switch_levels)
