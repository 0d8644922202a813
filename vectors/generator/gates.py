"""What client and server of the gate engine send each other, made and read by docs/formats.md."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import numpy as np

from reference import chacha20, keys, native_file, torus
from reference.parameters import SETS

_SET = SETS["GATES_DEFAULT"]
_HEADER = 100
_VARIANCE = 2.0**-60


class SecretKey:
    """The key of a file that the command made."""

    def __init__(self, path: Path):
        file = path.read_bytes()
        if file[60:92].rstrip(b"\0").decode() != _SET.name:
            raise ValueError(f"{path.name} is of another set than {_SET.name}")
        self.id = file[12:28]
        bits = np.unpackbits(np.frombuffer(file[_HEADER:-32], np.uint8), bitorder="little")
        self.large = bits[8 * (-(-_SET.n // 8)) :][: _SET.large].astype(np.uint64)

    def scores(self, scores: list[int], width: int, digest: str) -> bytes:
        """The file of encrypted scores, each in so many bits of two's complement, lowest first."""
        bits = [score >> place & 1 for score in scores for place in range(width)]
        masks = np.frombuffer(os.urandom(4 * len(bits) * _SET.large), "<u4").astype(np.uint64) << np.uint64(32)
        masks = masks.reshape(len(bits), -1)
        bodies = keys.inner(masks, self.large) + keys.encode_bits(bits)
        samples = (struct.pack("<d", _VARIANCE) + torus.to_bytes(mask, 32) + torus.to_bytes(body, 32)
                   for mask, body in zip(masks, bodies))
        body = struct.pack("<I", len(bits)) + b"".join(samples)
        return native_file.wrap(native_file.LIST, self.id, _SET.name, body, bytes.fromhex(digest))

    def picture(self, file: bytes) -> list[int]:
        """The bits of an encrypted picture."""
        (count,) = struct.unpack_from("<I", file, _HEADER + 32)
        bodies = torus.from_bytes(file[_HEADER + 36 : -32], 32)
        if len(bodies) != count:
            raise ValueError(f"{len(bodies)} bodies, where {count} are declared")
        seed = file[_HEADER : _HEADER + 32]
        masks = chacha20.masks(seed, chacha20.CIPHERTEXTS, np.arange(count), _SET.large, 32)
        return (torus.signed(bodies - keys.inner(masks, self.large)) > 0).astype(int).tolist()


def picture_bits(given: dict, encoded: list[np.ndarray]) -> list[int]:
    """An encoded picture bit by bit, each number from its lowest bit on."""
    widths = {"threshold": [1], "grey": [given.get("bits")], "sign-and-scale": [1, given.get("bits")]}
    return [int(value) >> place & 1
            for values, width in zip(encoded, widths[given["encoding"]])
            for value in np.ravel(values) for place in range(width)]


def text_sum(specification: dict) -> str:
    """What the checksum of a client specification is computed from."""
    return json.dumps(specification | {"checksum": ""}, separators=(",", ":"), ensure_ascii=False)
