"""What the tests share."""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

import bnn_tfhe as bnn

ROOT = Path(__file__).resolve().parents[2]


def read_png(path):
    """A grey picture of 8 bits without interlacing, as the sample digits are."""
    data = path.read_bytes()
    place, idat = 8, b""
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour, body[12]) == (8, 0, 0)
        elif kind == b"IDAT":
            idat += body
        place += 12 + length
    lines = np.frombuffer(zlib.decompress(idat), np.uint8).reshape(height, width + 1)
    picture = np.zeros((height, width), np.uint8)
    for y, (kind, *line) in enumerate(lines.tolist()):
        for x, value in enumerate(line):
            left, up = int(picture[y, x - 1]) if x else 0, int(picture[y - 1, x]) if y else 0
            corner = int(picture[y - 1, x - 1]) if x and y else 0
            near = min((left, up, corner), key=lambda v: abs(left + up - corner - v))
            picture[y, x] = (value + [0, left, up, (left + up) // 2, near][kind]) % 256
    return picture


@pytest.fixture(scope="session")
def digits():
    """The ten sample digits, ``(10, 28, 28)``."""
    return np.stack([read_png(ROOT / f"models/digits/{digit}.png") for digit in range(10)])


@pytest.fixture(scope="session")
def model():
    return bnn.Model.shipped("perceptron")


@pytest.fixture(scope="session")
def client(model):
    return bnn.Client(model.client_specification())


@pytest.fixture(scope="session")
def server(model, client):
    return bnn.Server(model, client.cloud_key())


def tensors(arrays):
    """A file of safetensors: the length of a header of JSON, the header, and the numbers."""
    header, data = {}, b""
    for name, array in arrays.items():
        kind = {"int8": "I8", "int32": "I32"}[array.dtype.name]
        ends = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": ends}
        data += array.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.fixture(scope="session")
def tiny():
    """A network of four signs for pictures of 8 x 8, which takes seconds on the gate engine."""
    random = np.random.default_rng(1)
    manifest = """
format = 1
name = "tiny"
description = "Of a test"
input = {width = 8, height = 8, encoding = "threshold", threshold = 128, max_active = 64}

[[layers]]
name = "hidden"
kind = "binary-dense"
weights = "w"
biases = "b"
inputs = 64
outputs = 4

[[layers]]
name = "scores"
kind = "dense"
weights = "v"
biases = "c"
inputs = 4
outputs = 3
fraction_bits = 2
"""
    numbers = {
        "w": random.choice([-1, 1], (4, 64)).astype(np.int8),
        "b": np.zeros(4, np.int32),
        "v": random.integers(-8, 8, (3, 4)).astype(np.int8),
        "c": random.integers(-8, 8, 3).astype(np.int32),
    }
    return bnn.Model.from_bytes(manifest.encode(), tensors(numbers))


@pytest.fixture(scope="session")
def gates(tiny):
    """A client and a server of the gate engine, and a picture."""
    client = bnn.Client(tiny.client_specification(), parameters="GATES_DEFAULT")
    picture = np.random.default_rng(2).integers(0, 256, (8, 8)).astype(np.uint8)
    return client, bnn.Server(tiny, client.cloud_key()), picture
