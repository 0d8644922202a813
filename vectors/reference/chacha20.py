"""ChaCha20 keystream (RFC 8439, section 2.3), many streams at once, and the numbering of streams.

The block function is that of the RFC; the last four words of the state are a block counter of 64 bits, from 0, and
a stream number of 64 bits, both little-endian (as in Bernstein's original). docs/formats.md, "Masks", numbers
streams: purpose * 2^56 + row.
"""

from __future__ import annotations

import numpy as np

# Purposes of streams. 0 to 3 are drawn from a secret seed only; 4 to 6 name masks under a public mask seed, and
# the noise of the same rows under the secret seed.
IDENTITY, SMALL_KEY, LARGE_KEY, PUBLIC_SEED, BOOTSTRAP_KEY, KEY_SWITCH_KEY, CIPHERTEXTS = range(7)

_CONSTANTS = np.frombuffer(b"expand 32-byte k", "<u4")
# Blocks computed together: their state and its copy stay in the second-level cache.
_LANES = 4096


def _rotate_left(x, count, spare):
    np.left_shift(x, count, out=spare)
    np.right_shift(x, 32 - count, out=x)
    x |= spare


def _round(a, b, c, d, spare):
    """A quarter round on each of the four columns; a, b, c, d are the rows of the state, (4, blocks)."""
    for x, y, z, count in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x += y
        z ^= x
        _rotate_left(z, count, spare)


def blocks(key: bytes, streams, counters) -> np.ndarray:
    """The block of each (stream, counter) pair: uint32 words, (pairs, 16)."""
    streams, counters = np.broadcast_arrays(np.asarray(streams, np.uint64), np.asarray(counters, np.uint64))
    result = np.empty((streams.size, 16), np.uint32)
    low = np.uint64(0xFFFF_FFFF)
    for start in range(0, streams.size, _LANES):
        stream, counter = streams[start : start + _LANES], counters[start : start + _LANES]
        state = np.empty((4, 4, stream.size), np.uint32)
        state[0] = _CONSTANTS[:, None]
        state[1:3] = np.frombuffer(key, "<u4").reshape(2, 4, 1)
        words = (counter & low, counter >> np.uint64(32), stream & low, stream >> np.uint64(32))
        state[3] = np.stack(words)
        a, b, c, d = state.copy()
        spare = np.empty_like(a)
        for _ in range(10):
            _round(a, b, c, d, spare)
            # Diagonals become columns, and back.
            b, c, d = np.roll(b, -1, 0), np.roll(c, -2, 0), np.roll(d, -3, 0)
            _round(a, b, c, d, spare)
            b, c, d = np.roll(b, 1, 0), np.roll(c, 2, 0), np.roll(d, 3, 0)
        state += np.stack((a, b, c, d))
        result[start : start + _LANES] = state.reshape(16, -1).T
    return result


def keystream(seed: bytes, purpose: int, rows, length: int) -> np.ndarray:
    """The first `length` bytes of the stream of each row: uint8, (rows, length)."""
    rows = np.atleast_1d(np.asarray(rows, np.uint64))
    streams = rows + np.uint64(purpose << 56)
    count = -(-length // 64)
    words = blocks(seed, np.repeat(streams, count), np.tile(np.arange(count, dtype=np.uint64), rows.size))
    return words.astype("<u4", copy=False).view(np.uint8).reshape(rows.size, count * 64)[:, :length]


def words32(seed: bytes, purpose: int, rows, count: int) -> np.ndarray:
    """As many little-endian numbers of 32 bits of each row's stream: (rows, count), as uint64."""
    return np.ascontiguousarray(keystream(seed, purpose, rows, 4 * count)).view("<u4").astype(np.uint64)


def words64(seed: bytes, purpose: int, rows, count: int) -> np.ndarray:
    """As many little-endian numbers of 64 bits of each row's stream: (rows, count)."""
    return np.ascontiguousarray(keystream(seed, purpose, rows, 8 * count)).view("<u8").astype(np.uint64)


def test_seed(number: int) -> bytes:
    """The secret seed that tests and vectors call by a number."""
    return number.to_bytes(32, "little")


def mask_seed(seed: bytes) -> bytes:
    """The public seed of the masks that go with a secret seed's noise."""
    return keystream(seed, PUBLIC_SEED, 0, 32).tobytes()


def masks(public_seed: bytes, purpose: int, rows, count: int, bits: int) -> np.ndarray:
    """Uniform torus elements of `bits` bits, `count` a row: (rows, count)."""
    if bits == 32:
        return words32(public_seed, purpose, rows, count) << np.uint64(32)
    excess = np.uint64(64 - bits)
    return words64(public_seed, purpose, rows, count) >> excess << excess
