"""The native file (docs/formats.md), byte for byte."""

from __future__ import annotations

import hashlib
import struct

import numpy as np

from . import torus
from .keys import CloudKey, SecretKey
from .parameters import Parameters

MAGIC, VERSION = b"tfhebnn\n", 1
SECRET_KEY, CLOUD_KEY, SEEDED, LIST, PACKED, CLOUD_KEY_WITH_MASKS = 1, 2, 3, 5, 6, 7


def wrap(kind: int, key_id: bytes, parameters: str, body: bytes, context: bytes = bytes(32)) -> bytes:
    """Header, body and checksum."""
    name = parameters.encode("ascii").ljust(32, b"\0")
    file = MAGIC + struct.pack("<HH", VERSION, kind) + key_id + context + name
    file += struct.pack("<Q", len(body)) + body
    return file + hashlib.sha256(file).digest()


def pack_bits(bits) -> bytes:
    return np.packbits(np.asarray(bits, np.uint8), bitorder="little").tobytes()


def secret_key(key: SecretKey) -> bytes:
    return wrap(SECRET_KEY, key.id, key.parameters.name, pack_bits(key.small) + pack_bits(key.large))


def cloud_key(key: CloudKey) -> bytes:
    body = key.masks + torus.to_bytes(key.bootstrap, key.parameters.bits) + torus.to_bytes(key.switch, 32)
    return wrap(CLOUD_KEY, key.id, key.parameters.name, body)


def seeded(p: Parameters, key_id: bytes, masks: bytes, bodies) -> bytes:
    return wrap(SEEDED, key_id, p.name, masks + struct.pack("<I", len(bodies)) + torus.to_bytes(bodies, 32))


def ciphertext_list(p: Parameters, key_id: bytes, variance: float, masks, bodies) -> bytes:
    """Of one variance each, in squared torus units."""
    samples = (struct.pack("<d", variance) + torus.to_bytes(mask, 32) + torus.to_bytes(body, 32)
               for mask, body in zip(masks, bodies))
    return wrap(LIST, key_id, p.name, struct.pack("<I", len(bodies)) + b"".join(samples))


def packed(p: Parameters, key_id: bytes, masks: bytes, row_length: int, bodies) -> bytes:
    counts = struct.pack("<II", row_length, len(bodies))
    return wrap(PACKED, key_id, p.name, masks + counts + torus.to_bytes(bodies, 32))


def cloud_key_with_masks(key: CloudKey, key_id: bytes) -> bytes:
    """As one of the TFHE library is stored: all masks in the place of their seed."""
    p = key.parameters
    tgsw = key.tgsw(0, len(key.bootstrap))
    parts = (tgsw[:, :, : p.k], key.switch_masks(), key.bootstrap, key.switch)
    return wrap(CLOUD_KEY_WITH_MASKS, key_id, p.name, b"".join(torus.to_bytes(part, 32) for part in parts))
