"""Grey pictures of 8 bits, and the files that hold them."""

from __future__ import annotations

import gzip
import random
import struct
import zlib
from pathlib import Path

import numpy as np


def draw(rng: random.Random, height: int, width: int) -> np.ndarray:
    """Bright strokes on black, as digits are; or anything."""
    kind = rng.choice(["strokes", "strokes", "noise", "steps"])
    count = height * width
    if kind == "strokes":
        values = [rng.choice([0, 0, 0, 127, 128, 255]) for _ in range(count)]
    elif kind == "noise":
        values = [rng.randrange(256) for _ in range(count)]
    else:
        values = [index * 255 // count for index in range(count)]
    return np.array(values, np.uint8).reshape(height, width)


def write(rng: random.Random, pixels: np.ndarray, path: Path) -> tuple[Path, list[str]]:
    """The file, as one of the kinds that are read, and the arguments that choose the picture in it."""
    kind = rng.choice(["png", "bmp", "idx"])
    if kind == "idx":
        index = rng.randrange(3)
        others = [np.zeros_like(pixels)] * 3
        others[index] = pixels
        path = path.with_suffix(".idx3-ubyte.gz")
        path.write_bytes(gzip.compress(idx(others), 1))
        return path, ["--index", str(index)]
    path = path.with_suffix(f".{kind}")
    path.write_bytes(png(pixels) if kind == "png" else bmp(pixels))
    return path, []


def idx(pictures: list[np.ndarray]) -> bytes:
    return struct.pack(">IIII", 0x803, len(pictures), *pictures[0].shape) + b"".join(p.tobytes() for p in pictures)


def idx_labels(labels: list[int]) -> bytes:
    return struct.pack(">II", 0x801, len(labels)) + bytes(labels)


def png(pixels: np.ndarray) -> bytes:
    height, width = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def bmp(pixels: np.ndarray) -> bytes:
    """24 bits a pixel, from the last line up, lines filled up to 4 bytes."""
    height, width = pixels.shape
    lines = [np.repeat(line, 3).tobytes() for line in pixels[::-1]]
    content = b"".join(line + bytes(-len(line) % 4) for line in lines)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(content), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(content), 0, 0, 54) + header + content
