"""The integer oracle of a model folder (docs/formats.md, "The model folder"), written with whole arrays.

Values between layers are arrays (channels, height, width) of int64; numpy's >> and // round down.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from pathlib import Path

import numpy as np

try:
    import tomllib
except ImportError:  # Python before 3.11
    tomllib = None

_TYPES = {"I8": "<i1", "I32": "<i4"}


def read_safetensors(data: bytes) -> dict[str, np.ndarray]:
    """The tensors by name: the length of a JSON header, the header, the bytes."""
    (length,) = struct.unpack_from("<Q", data)
    header, content = json.loads(data[8 : 8 + length]), data[8 + length :]
    header.pop("__metadata__", None)
    tensors = {}
    for name, tensor in header.items():
        start, end = tensor["data_offsets"]
        values = np.frombuffer(content[start:end], _TYPES[tensor["dtype"]])
        tensors[name] = values.reshape(tensor["shape"]).astype(np.int64)
    return tensors


class Model:
    def __init__(self, folder: Path):
        manifest, weights = (folder / "manifest.toml").read_bytes(), (folder / "weights.safetensors").read_bytes()
        self.digest = hashlib.sha256(manifest + weights).hexdigest()
        self.manifest = tomllib.loads(manifest.decode())
        self.tensors = read_safetensors(weights)

    @property
    def fraction_bits(self) -> int:
        """Of the scores: those of the last layer that multiplies."""
        return [layer for layer in self.manifest["layers"] if layer["kind"] == "dense"][-1].get("fraction_bits", 0)

    def encode(self, pixels) -> list[np.ndarray]:
        """What the first layer reads: one array, or the signs and the windows' magnitudes."""
        given = self.manifest["input"]
        grey = pixels.astype(np.int64)
        if given["encoding"] == "threshold":
            return [(grey >= given["threshold"]).astype(np.int64)[None]]
        if given["encoding"] == "grey":
            return [(grey >> 8 - given["bits"])[None]]
        return sign_and_scale(grey, given["window"], given["fraction_bits"])

    def trace(self, inputs) -> list[np.ndarray]:
        """What every layer gives, flattened: channels of rows of columns."""
        values, trace, given_by = inputs, [], {}
        for layer in self.manifest["layers"]:
            other = given_by.get(layer.get("from"))
            if layer["kind"] == "add":
                layer = layer | {"added": other}
            elif other is not None:
                values = [other]
            tensor = {role: self.tensors[layer[role]] for role in ("weights", "scales", "biases", "entries") if role in layer}
            given = _LAYERS[layer["kind"]](layer, tensor, *values)
            # A vector is channels of one value.
            values = [given if given.ndim == 3 else given[:, None, None]]
            given_by[layer["name"]] = values[0]
            trace.append(given.reshape(-1))
        return trace


def sign_and_scale(grey, window: int, fraction_bits: int) -> list[np.ndarray]:
    """z = (x - mean) / sqrt(variance + 10^-5); signs as 1 and 0, and the windows' mean |z|, cut.

    Sums are made in the order of the pixels, in doubles. Whether that could matter is checked: the mean must be
    further from a whole number of units than all roundings together, or the picture has no well-defined encoding.
    """
    count = grey.size
    mean = float(grey.sum()) / count
    # Exact in integers: count^2 times the variance is count * sum x^2 - (sum x)^2.
    variance = float(count * (grey**2).sum() - grey.sum() ** 2) / count**2
    z = (grey - mean) / math.sqrt(variance + 1e-5)
    windows = np.lib.stride_tricks.sliding_window_view(np.abs(z), (window, window))
    means = windows.mean((2, 3)) * 2.0**fraction_bits
    if np.abs(means - np.rint(means)).min() < 1e-6:
        raise ArithmeticError("a mean so near a whole number of units that doubles may decide either way")
    return [(z >= 0).astype(np.int64)[None], means.astype(np.int64)]


def _windows(x, size: int, stride: int):
    """(height, width, channels * size * size) of (channels, height, width)."""
    views = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))[:, ::stride, ::stride]
    views = views.transpose(1, 2, 0, 3, 4)
    return views.reshape(*views.shape[:2], -1)


def _matrix(weights):
    return weights.reshape(len(weights), -1)


def _sums(layer, tensor, x):
    """(filters, height, width)"""
    products = _windows(x, layer["size"], layer.get("stride", 1)) @ _matrix(tensor["weights"]).T
    return products.transpose(2, 0, 1)


def _signs(x):
    return np.where(x >= 0, 1, -1)


def _cut(x, bits):
    """The lowest bits, as a signed number."""
    return x if bits is None else (x + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


def _binary_dense(layer, tensor, x):
    # 2 (W x + b) + 1 is never 0, and has the sign of W x + b + 1/2.
    return _signs(2 * (tensor["weights"] @ x.reshape(-1) + tensor["biases"]) + 1)


def _dense(layer, tensor, x):
    bits = layer.get("bits")
    floor = _cut(tensor["weights"] @ x.reshape(-1) >> layer.get("shift", 0), bits)
    return _cut(floor + tensor["biases"], bits)


def _convolution(layer, tensor, x):
    padding, groups = layer.get("padding", 0), layer.get("groups", 1)
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    # The filters of a group read the channels of that group.
    parts = zip(np.split(tensor["weights"], groups), np.split(x, groups))
    sums = np.concatenate([_sums(layer, {"weights": weights}, channels) for weights, channels in parts])
    return (sums >> layer.get("shift", 0)) + tensor["biases"][:, None, None]


def _xnor_convolution(layer, tensor, signs, magnitudes):
    scaled = magnitudes * _sums(layer, tensor, 2 * signs - 1) * tensor["scales"][:, None, None]
    return (scaled >> layer["fraction_bits"]) + tensor["biases"][:, None, None]


def _relu(layer, tensor, x):
    return np.maximum(x, 0)


def _add(layer, tensor, x):
    return x + layer.get("factor", 1) * layer["added"]


def _scale(layer, tensor, x):
    return x * tensor["scales"][:, None, None] >> layer.get("shift", 0)


def _clip(layer, tensor, x):
    return np.clip(x, layer["least"], layer["most"])


def _table(layer, tensor, x):
    entries = tensor["entries"].reshape(-1)
    return entries[np.clip(x - layer["least"], 0, len(entries) - 1)]


def _squares(layer, x):
    """(channels, height, size, width, size)"""
    # What does not fill a square at the right and at the bottom is dropped.
    size = layer["size"]
    height, width = x.shape[1] // size, x.shape[2] // size
    return x[:, : height * size, : width * size].reshape(len(x), height, size, width, size)


_LAYERS = {"binary-dense": _binary_dense, "dense": _dense, "convolution": _convolution,
           "xnor-convolution": _xnor_convolution, "relu": _relu, "add": _add, "scale": _scale, "clip": _clip, "table": _table,
           "max-pool": lambda layer, tensor, x: _squares(layer, x).max((2, 4)),
           "sum-pool": lambda layer, tensor, x: _squares(layer, x).sum((2, 4)),
           "sign": lambda layer, tensor, x: _signs(x)}
