"""networks.json: what the shipped models give on the sample digits, after every layer."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy as np

from reference import network, png

from .vector import Skipped, sum_of_integers

_MODELS = Path(__file__).resolve().parent.parent.parent / "models"
_FIRST = 8


@functools.cache
def _model(name: str) -> network.Model:
    if network.tomllib is None:
        raise Skipped("manifest.toml needs Python 3.11 or later")
    return network.Model(_MODELS / name)


def _digest(values) -> dict:
    values = np.ravel(values)
    return {"count": values.size, "first": values[:_FIRST].tolist(), "sha256": sum_of_integers(values)}


def _network(name: str, given):
    model, pixels = _model(name), png.read((_MODELS / given["picture"]).read_bytes())
    if (model.digest, hashlib.sha256(pixels.tobytes()).hexdigest()) != (given["digest"], given["pixels"]):
        raise ValueError("another model or picture than that of the vector")
    encoded = model.encode(pixels)
    trace = model.trace(encoded)
    layers = [{**_digest(values), "name": layer["name"], "kind": layer["kind"]}
              for layer, values in zip(model.manifest["layers"], trace)]
    return {
        "encoded": _digest(np.concatenate([part.reshape(-1) for part in encoded])),
        "layers": layers,
        "scores": trace[-1].tolist(),
        "fraction_bits": model.fraction_bits,
        "label": int(np.argmax(trace[-1])),
    }


_NAMES = ("binarized-cnn", "binarized-perceptron", "hybrid-cnn", "perceptron", "sign-cnn")
CHECKS = {f"network-{name}": functools.partial(_network, name) for name in _NAMES}
