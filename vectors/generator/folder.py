"""A model that is being made: its manifest and tensors, and the two files of its folder (docs/formats.md)."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

# Types that a safetensors file may name, of which a model takes the first two.
TYPES = {"I8": "<i1", "I32": "<i4", "U8": "<u1", "I16": "<i2", "I64": "<i8", "F32": "<f4"}


@dataclass
class Made:
    """Of a model that is wrong, `fault` says what is, and `names` of what a refusal must name one."""

    head: dict  # format, name, description
    input: dict
    layers: list[dict]
    tensors: dict[str, tuple[str, np.ndarray]]  # type and values by name
    fault: str = ""
    names: list[str] = field(default_factory=list)
    cut: int = 0  # bytes that are missing at the end of the weights

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "manifest.toml").write_bytes(self.manifest().encode())
        weights = safetensors(self.tensors)
        (folder / "weights.safetensors").write_bytes(weights[: len(weights) - self.cut])

    def manifest(self) -> str:
        tables = [table("", self.head), table("[input]", self.input)]
        return "\n".join(tables + [table("[[layers]]", layer) for layer in self.layers])


def table(head: str, entries: dict) -> str:
    # A string of JSON is one of TOML as well.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in entries.items()]
    return "\n".join([head] * bool(head) + lines) + "\n"


def safetensors(tensors: dict[str, tuple[str, np.ndarray]]) -> bytes:
    header, content = {}, b""
    for name, (kind, values) in tensors.items():
        data = np.ascontiguousarray(values, TYPES[kind]).tobytes()
        offsets = [len(content), len(content) + len(data)]
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": offsets}
        content += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content
