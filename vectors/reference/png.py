"""Grey pictures of 8 bits from PNG files (W3C, Portable Network Graphics, 3rd edition), without interlacing."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def read(data: bytes) -> np.ndarray:
    """The pixels: uint8, (height, width)."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG file")
    offset, header, compressed = 8, None, b""
    while offset < len(data):
        length, kind = struct.unpack_from(">I4s", data, offset)
        content = data[offset + 8 : offset + 8 + length]
        if struct.unpack_from(">I", data, offset + 8 + length)[0] != zlib.crc32(kind + content):
            raise ValueError(f"checksum of chunk {kind!r}")
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", content)
        elif kind == b"IDAT":
            compressed += content
        offset += 12 + length
    width, height, depth, colour, _, _, interlace = header
    if (depth, colour, interlace) != (8, 0, 0):
        raise ValueError("not a grey picture of 8 bits without interlacing")
    lines = np.frombuffer(zlib.decompress(compressed), np.uint8).reshape(height, width + 1)
    pixels = np.zeros((height + 1, width + 1), int)  # a row above and a column on the left of zeros
    for y, (filter_, *line) in enumerate(lines.tolist(), 1):
        for x, value in enumerate(line, 1):
            left, up, corner = int(pixels[y, x - 1]), int(pixels[y - 1, x]), int(pixels[y - 1, x - 1])
            pixels[y, x] = value + (0, left, up, (left + up) // 2, _paeth(left, up, corner))[filter_] & 255
    return pixels[1:, 1:].astype(np.uint8)


def _paeth(left: int, up: int, corner: int) -> int:
    """Of the three, the nearest to left + up - corner; the first of equals."""
    return min((left, up, corner), key=lambda x: abs(left + up - corner - x))
