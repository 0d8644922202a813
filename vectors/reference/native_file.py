"""The native file (docs/formats.md), byte for byte."""

from __future__ import annotations

import hashlib
import struct

import numpy as np

from . import torus
from .keys import CloudKey, SecretKey
from .parameters import Parameters

MAGIC, VERSION = b"tfhebnn\n", 1
SECRET_KEY, CLOUD_KEY, SEEDED, LIST, PACKED = 1, 2, 3, 5, 6


def wrap(kind: int, key_id: bytes, parameters: str, body: bytes, context: bytes = bytes(32)) -> bytes:
    """Header, body and checksum."""
    name = parameters.encode("ascii").ljust(32, b"\0")
    file = MAGIC + struct.pack("<HH", VERSION, kind) + key_id + context + name + struct.pack("<Q", len(body)) + body
    return file + hashlib.sha256(file).digest()


def unwrap(file: bytes) -> tuple[int, bytes, bytes, str, bytes]:
    """Kind, key id, context, name of the set, body; ValueError for what is no such file."""
    if file[:8] != MAGIC or len(file) < 132:
        raise ValueError("not a native file")
    version, kind = struct.unpack_from("<HH", file, 8)
    (length,) = struct.unpack_from("<Q", file, 92)
    if version != VERSION or len(file) != 132 + length:
        raise ValueError("another version or length")
    if hashlib.sha256(file[:-32]).digest() != file[-32:]:
        raise ValueError("checksum")
    return kind, file[12:28], file[28:60], file[60:92].rstrip(b"\0").decode("ascii"), file[100:-32]


def pack_bits(bits) -> bytes:
    return np.packbits(np.asarray(bits, np.uint8), bitorder="little").tobytes()


def secret_key(key: SecretKey) -> bytes:
    return wrap(SECRET_KEY, key.id, key.parameters.name, pack_bits(key.small) + pack_bits(key.large))


def cloud_key(key: CloudKey) -> bytes:
    body = key.masks + torus.to_bytes(key.bootstrap, key.parameters.bits) + torus.to_bytes(key.switch, 32)
    return wrap(CLOUD_KEY, key.id, key.parameters.name, body)


def seeded(p: Parameters, key_id: bytes, masks: bytes, bodies) -> bytes:
    return wrap(SEEDED, key_id, p.name, masks + struct.pack("<I", len(bodies)) + torus.to_bytes(bodies, 32))


def packed(p: Parameters, key_id: bytes, masks: bytes, row_length: int, bodies) -> bytes:
    counts = struct.pack("<II", row_length, len(bodies))
    return wrap(PACKED, key_id, p.name, masks + counts + torus.to_bytes(bodies, 32))


def sample_list(p: Parameters, key_id: bytes, samples, context: bytes = bytes(32)) -> bytes:
    """Of (variance, words) pairs."""
    body = struct.pack("<I", len(samples))
    for variance, words in samples:
        body += struct.pack("<d", variance) + torus.to_bytes(words, 32)
    return wrap(LIST, key_id, p.name, body, context)
