"""Draws models that are right by docs/formats.md, and tells which of them may be refused for their ranges alone."""

from __future__ import annotations

import random

import numpy as np

from .folder import Made

LEAST, MOST = -(1 << 31), (1 << 31) - 1
LARGEST_SUM, LARGEST_VALUE = 1 << 50, 1 << 30
_ENDS = [LEAST, LEAST + 1, MOST, MOST - 1, 1 << 30, -(1 << 30), 1 << 20]
_NAMES = ["layer", "Schicht größer", "couche", "層", "a-b.c", "scores"]


def model(rng: random.Random) -> Made:
    """A model of small pictures; one of sixteen has a deep chain of layers."""
    return _Drawing(rng).model()


class _Drawing:
    def __init__(self, rng: random.Random):
        self.rng = rng
        self.layers: list[dict] = []
        self.tensors: dict[str, tuple[str, np.ndarray]] = {}
        # What the next layer reads: channels of rows of columns, and whether they are bits or signs.
        self.shape = (1, 1, 1)
        self.binary = False
        # What each layer gives, by its name.
        self.shapes: dict[str, tuple] = {}

    def model(self) -> Made:
        rng = self.rng
        self.format = rng.choice([1, 2])
        head = {"format": self.format, "name": f"random {rng.randrange(1000)}", "description": "Drawn at random"}
        given = self._input()
        deep = rng.random() < 1 / 16
        if given["encoding"] == "sign-and-scale":
            self._xnor(given)
        kinds = ["max-pool", "relu", "sign", "dense", "convolution", "binary-dense"]
        kinds += ["sum-pool", "scale", "clip", "table", "add"] * (self.format > 1)
        for _ in range(rng.choice([8, 40, 200]) if deep else rng.choice([0, 0, 1, 1, 2, 3, 4])):
            kind = rng.choice(kinds)
            self._layer(kind if kind != "binary-dense" or self.binary else "dense", calm=deep or rng.random() < 0.8)
        self._layer("dense", calm=rng.random() < 0.6, last=True)
        for _ in range(rng.choice([0, 0, 0, 1, 2])):
            self._layer("relu")
        return Made(head, given, self.layers, self.tensors)

    def _input(self) -> dict:
        rng = self.rng
        height, width = rng.choice([(1, 1), (2, 2), (1, 5), (4, 3), (4, 4), (5, 5), (6, 4)])
        self.shape = (1, height, width)
        size = {"width": width, "height": height}
        encoding = rng.choice(["threshold", "grey", "sign-and-scale"])
        if encoding == "threshold":
            self.binary = True
            active = rng.choice([width * height, max(1, width * height // 2), 1])
            return size | {"encoding": encoding, "threshold": rng.choice([0, 1, 128, 255]), "max_active": active}
        if encoding == "grey":
            return size | {"encoding": encoding, "bits": rng.choice([1, 2, 4, 8])}
        fraction_bits = rng.choice([0, 3, 8, 15])
        # Means of magnitudes are mostly below 4 standard deviations.
        largest = rng.choice([1, 4, 4, 4]) << fraction_bits
        bits = max(2, largest.bit_length() + rng.choice([1, 1, 4]))
        return size | {"encoding": encoding, "window": rng.randint(1, min(3, width, height)),
                       "fraction_bits": fraction_bits, "bits": bits, "largest": largest}

    def _layer(self, kind: str, calm: bool = True, last: bool = False) -> None:
        channels, height, width = self.shape
        layer = {"name": self._name(), "kind": kind}
        if kind in ("dense", "binary-dense"):
            outputs = self.rng.choice([1, 1, 2, 3] if not last else [1, 2, 3, 10])
            layer |= {"inputs": channels * height * width, "outputs": outputs}
            self._shift_and_bits(layer, last)
            self._numbers(layer, (outputs, layer["inputs"]), calm)
            self.shape = (outputs, 1, 1)
        elif kind == "convolution":
            padding = self.rng.choice([0, 0, 1, 2]) if self.format > 1 else 0
            groups = self.rng.choice([1, channels]) if self.format > 1 else 1
            size = self.rng.randint(padding + 1, max(padding + 1, min(3, height, width)))
            stride, filters = self.rng.choice([1, 1, 1, 2, 64]), groups * self.rng.choice([1, 2, 3] if groups < 3 else [1])
            layer |= {"filters": filters, "size": size} | ({"stride": stride} if stride > 1 else {})
            if padding or self.format > 1 and self.rng.random() < 0.2:
                layer["padding"] = padding
            if groups > 1 or self.format > 1 and self.rng.random() < 0.2:
                layer["groups"] = groups
            self._shift_and_bits(layer, last)
            one = channels == groups
            self._numbers(layer, (filters, size, size) if one else (filters, channels // groups, size, size), calm)
            self.shape = (filters, *((side + 2 * padding - size) // stride + 1 for side in (height, width)))
        elif kind in ("max-pool", "sum-pool"):
            size = self.rng.randint(1, min(3, height, width))
            layer["size"] = size
            self.shape = (channels, height // size, width // size)
        elif kind == "scale":
            self._shift_and_bits(layer, last)
            greatest = 9 if calm else MOST
            self._tensor(layer, "scales", "I32", np.array([self.rng.randint(0, greatest) for _ in range(channels)]))
        elif kind == "add":
            same = [name for name, shape in self.shapes.items() if shape == self.shape]
            if not same:
                return
            layer |= {"from": self.rng.choice(same), "factor": self.rng.choice([1, 1, 2, 9] if calm else [1, 1 << 20])}
        elif kind == "clip":
            layer |= {"least": self.rng.choice([0, 0, -1, -100, LEAST]), "most": self.rng.choice([0, 1, 6, 255, MOST])}
        elif kind == "table":
            count = self.rng.choice([1, 2, 4, 16])
            layer |= {"least": self.rng.choice([0, -1, -8, -100]), "count": count}
            entries = sorted(self.rng.randint(-9, 9) if calm else self.rng.choice(_ENDS) for _ in range(count))
            self._tensor(layer, "entries", "I32", np.array(entries))
        if "weights" in layer and self.format > 1 and self.rng.random() < 0.2:
            # Wider than the sums are, so that they change nothing.
            layer["sums"] = [-(1 << 50), 1 << 50]
        # A square of one value is that value, and still a sum.
        if kind not in ("max-pool", "relu"):
            self.binary = kind in ("sign", "binary-dense")
        self.shapes[layer["name"]] = self.shape
        self.layers.append(layer)

    def _xnor(self, given: dict) -> None:
        rng, size = self.rng, given["window"]
        filters, bits = rng.choice([1, 2, 3]), rng.choice([25, 28, 31])
        layer = {"name": self._name(), "kind": "xnor-convolution", "filters": filters, "size": size,
                 "fraction_bits": rng.choice([0, given["fraction_bits"], 15, 25]), "bits": bits}
        self._numbers(layer, (filters, size, size), True)
        scales = [rng.choice([0, 1, 1 << layer["fraction_bits"] % 20, rng.randrange(1 << 12)]) for _ in range(filters)]
        self._tensor(layer, "scales", "I32", np.array(scales))
        self.shape = (filters, given["height"] - size + 1, given["width"] - size + 1)
        self.shapes[layer["name"]] = self.shape
        self.layers.append(layer)

    def _shift_and_bits(self, layer: dict, last: bool) -> None:
        rng = self.rng
        if layer["kind"] == "binary-dense":
            return
        if rng.random() < 0.4:
            layer["shift"] = rng.choice([0, 1, 2, 5, 30])
        if layer["kind"] == "dense" and rng.random() < 0.3:
            layer["bits"] = rng.choice([2, 3, 8, 16, 31])
        if layer["kind"] == "dense" and (rng.random() < 0.5 if last else rng.random() < 0.1):
            layer["fraction_bits"] = rng.choice([0, 1, 15, 30])

    def _numbers(self, layer: dict, shape: tuple, calm: bool) -> None:
        """Weights and biases: calm ones are small, others may be at the ends of their type."""
        rng, count = self.rng, int(np.prod(shape))
        kind = rng.choice(["I8", "I32"])
        if layer["kind"] in ("binary-dense", "xnor-convolution"):
            weights = [rng.choice([-1, 1]) for _ in range(count)]
        else:
            ends = [] if calm else [-128, -127, 127] if kind == "I8" else _ENDS
            weights = [rng.choice(ends) if ends and rng.random() < 0.2 else rng.randint(-3, 3) for _ in range(count)]
        wide = not calm and rng.random() < 0.5
        biases = [rng.choice(_ENDS) if wide and rng.random() < 0.5 else rng.randint(-4, 4) for _ in range(shape[0])]
        self._tensor(layer, "weights", kind, np.array(weights).reshape(shape))
        self._tensor(layer, "biases", "I32", np.array(biases))

    def _tensor(self, layer: dict, role: str, kind: str, values) -> None:
        name = f"{layer['name']}.{role}"
        layer[role] = name
        self.tensors[name] = (kind, values)

    def _name(self) -> str:
        return f"{self.rng.choice(_NAMES)} {len(self.layers)}"


def ranges(made: Made) -> tuple[str, list[str]]:
    """Whether a model that is right may be refused for its ranges: `fits`, `refused` or `either`; and the layers to blame.

    Where values come near a limit, it is not for us to say how closely a reader bounds them.
    """
    largest, names, of_layers = _largest_input(made.input), [], {}
    for layer in made.layers:
        if layer["kind"] == "add":
            largest += layer["factor"] * of_layers[layer["from"]]
            worst = largest / LARGEST_SUM
        else:
            largest, worst = _bounds(layer, made.tensors, largest)
        of_layers[layer["name"]] = largest
        if worst > 0.5:
            names.append(layer["name"])
        if worst >= 2:
            return "refused", names
    return "either" if names else "fits", names


def _largest_input(given: dict) -> int:
    return {"threshold": 1, "grey": (1 << given.get("bits", 1)) - 1}.get(given["encoding"], given.get("largest", 1))


def _bounds(layer: dict, tensors: dict, largest: int) -> tuple[int, float]:
    """The largest magnitude that a layer gives, and the share of a limit that it may use up."""
    kind = layer["kind"]
    if kind in ("binary-dense", "sign"):
        return 1, 0.0
    if kind == "sum-pool":
        total = largest * layer["size"] ** 2
        return total, total / LARGEST_SUM
    if kind == "scale":
        product = largest * int(tensors[layer["scales"]][1].max())
        return (product >> layer.get("shift", 0)) + 1, product / LARGEST_SUM
    if kind == "clip":
        return min(largest, max(-layer["least"], layer["most"])), 0.0
    if kind == "table":
        return max(map(abs, tensors[layer["entries"]][1].tolist())), 0.0
    if "weights" not in layer:
        return largest, 0.0
    values = {role: tensors[layer[role]][1].tolist() for role in ("weights", "biases", "scales") if role in layer}
    total = max(sum(abs(w) for w in np.ravel(row).tolist()) for row in values["weights"]) * largest
    bias = max(map(abs, values["biases"]))
    if kind == "xnor-convolution":
        limit, scale = 1 << layer["bits"] - 1, max(values["scales"])
        result = (total * scale >> layer["fraction_bits"]) + 1 + bias
        return result, max(max(total, result, scale) / limit, total * scale / LARGEST_SUM)
    result = (total >> layer.get("shift", 0)) + 1 + bias
    if "bits" in layer:
        result = min(result, 1 << layer["bits"] - 1)
    return result, max(total / LARGEST_SUM, largest / LARGEST_VALUE)
