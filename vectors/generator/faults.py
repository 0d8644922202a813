"""Makes one thing of a right model wrong, and says what a refusal must name."""

from __future__ import annotations

import random

import numpy as np

from .folder import Made


def spoil(rng: random.Random, made: Made) -> None:
    """One fault, of those that the model has a place for."""
    faults = list(_FAULTS)
    rng.shuffle(faults)
    for fault in faults:
        names = fault(rng, made)
        if names:
            made.fault, made.names = fault.__name__.strip("_").replace("_", " "), names
            return


def _pick(rng, made: Made, *kinds: str):
    """Some layer of these kinds; of any that has weights if none is named."""
    found = [layer for layer in made.layers if (layer["kind"] in kinds if kinds else "weights" in layer)]
    return rng.choice(found) if found else None


def _number_out_of_range(rng, made):
    """A number of a layer just beyond its range."""
    layer = _pick(rng, made)
    ends = {"shift": [-1, 31], "fraction_bits": [-1, 31], "bits": [-1, 0, 1, 32], "size": [0, 65], "stride": [0, 65],
            "padding": [-1, 64], "groups": [0, 65537],
            "filters": [0, 65537], "inputs": [0, 65537], "outputs": [0, 65537]}
    field = rng.choice([field for field in ends if field in layer])
    layer[field] = rng.choice(ends[field])
    return [layer["name"]]


def _another_number_of_inputs(rng, made):
    layer = _pick(rng, made, "dense", "binary-dense")
    layer["inputs"] += 1
    return [layer["name"]]


def _another_number_of_outputs(rng, made):
    layer = _pick(rng, made)
    layer["outputs" if "outputs" in layer else "filters"] += 1
    return [layer["weights"], layer["name"]]


def _unknown_field(rng, made):
    layer = rng.choice(made.layers)
    layer["dilation"] = 1
    return ["dilation"]


def _missing_field(rng, made):
    layer = _pick(rng, made)
    optional = ("name", "kind", "shift", "stride", "padding", "groups", "bits", "fraction_bits", "factor")
    field = rng.choice([field for field in layer if field not in optional])
    del layer[field]
    return [field]


def _field_of_another_type(rng, made):
    layer = rng.choice(made.layers)
    field = rng.choice([field for field in layer if field != "name"])
    layer[field] = rng.choice([1.5, True, [1]])
    return [layer["name"]]


def _unknown_kind(rng, made):
    layer = rng.choice(made.layers)
    layer["kind"] = "average-pool"
    return ["average-pool"]


def _size_beyond_the_values(rng, made):
    layer = _pick(rng, made, "convolution", "max-pool", "xnor-convolution")
    if not layer:
        return None
    layer["size"] = 7
    return [layer["name"]]


def _last_layer_without_scores(rng, made):
    kind = rng.choice(["sign", "max-pool"])
    made.layers.append({"name": "end", "kind": kind} | ({"size": 1} if kind == "max-pool" else {}))
    return ["last layer"]


def _no_layer(rng, made):
    made.layers, made.tensors = [], {}
    return ["layer"]


def _layer_that_does_not_read_this_input(rng, made):
    layer = {"name": "first", "kind": "xnor-convolution", "filters": 1, "size": 1, "fraction_bits": 0, "bits": 8,
             "weights": "w", "scales": "s", "biases": "b"}
    if made.input["encoding"] == "sign-and-scale":
        layer = {"name": "first", "kind": rng.choice(["sign", "relu"])}
    elif made.input["encoding"] == "grey" and rng.random() < 0.5:
        layer = {"name": "first", "kind": "binary-dense", "outputs": 1, "weights": "w", "biases": "b",
                 "inputs": made.input["width"] * made.input["height"]}
    made.layers.insert(0, layer)
    return ["first"]


def _missing_tensor(rng, made):
    name = rng.choice(list(made.tensors))
    del made.tensors[name]
    return [name]


def _tensor_too_many(rng, made):
    made.tensors["stray"] = ("I8", np.zeros(3, int))
    return ["stray"]


def _tensor_named_twice(rng, made):
    layer = _pick(rng, made)
    layer["biases"] = layer["weights"]
    return [layer["weights"]]


def _tensor_of_another_type(rng, made):
    name = rng.choice(list(made.tensors))
    is_weights = name.endswith(".weights")
    _, values = made.tensors[name]
    made.tensors[name] = (rng.choice(["U8", "I16", "I64", "F32"] + ([] if is_weights else ["I8"])), np.abs(values) % 100)
    return [name]


def _tensor_of_another_shape(rng, made):
    name = rng.choice(list(made.tensors))
    kind, values = made.tensors[name]
    made.tensors[name] = (kind, np.concatenate([values, values[:1]]))
    return [name]


def _tensor_without_its_shape(rng, made):
    name = rng.choice([name for name in made.tensors if name.endswith(".weights")])
    kind, values = made.tensors[name]
    made.tensors[name] = (kind, values.reshape(-1))
    return [name]


def _binary_weight_of_another_value(rng, made):
    layer = _pick(rng, made, "binary-dense", "xnor-convolution")
    if not layer:
        return None
    _, values = made.tensors[layer["weights"]]
    values.reshape(-1)[rng.randrange(values.size)] = rng.choice([0, 2, -128])
    return [layer["weights"]]


def _negative_scale(rng, made):
    layer = _pick(rng, made, "xnor-convolution", "scale")
    if not layer:
        return None
    made.tensors[layer["scales"]][1][0] = -1
    return [layer["scales"]]


def _clip_without_zero(rng, made):
    layer = _pick(rng, made, "clip")
    if not layer:
        return None
    layer["least"], layer["most"] = rng.choice([(1, 2), (-2, -1), (1, -1)])
    return [layer["name"]]


def _table_that_falls(rng, made):
    layer = _pick(rng, made, "table")
    if not layer or layer["count"] < 2:
        return None
    values = made.tensors[layer["entries"]][1]
    values[0] = values[-1] + 1 if values[-1] < 1 << 20 else values[0]
    return [layer["entries"]] if values[0] > values[1] else None


def _weights_cut_short(rng, made):
    made.cut = rng.randint(1, 4)
    return ["weights.safetensors"]


def _input_out_of_range(rng, made):
    pixels = made.input["width"] * made.input["height"]
    ends = {"width": [0, 65537], "height": [0, 65537], "threshold": [-1, 256], "max_active": [0, pixels + 1],
            "window": [0, 7]}
    if made.input["encoding"] == "grey":
        ends["bits"] = [0, 9]
    if made.input["encoding"] == "sign-and-scale":
        ends |= {"bits": [1, 32], "fraction_bits": [-1, 31], "largest": [0, 1 << made.input["bits"] - 1]}
    field = rng.choice([field for field in ends if field in made.input])
    made.input[field] = rng.choice(ends[field])
    # The type of the number may be what refuses it.
    return [field, "largest"] if field == "bits" else [field, "u8", "u32", "usize", "input"]


def _unknown_encoding(rng, made):
    made.input["encoding"] = "colour"
    return ["colour"]


def _another_format(rng, made):
    made.head["format"] = rng.choice([0, 3])
    return [f"format {made.head['format']}"]


def _news_in_an_old_format(rng, made):
    """What format 1 has not."""
    news = [layer for layer in made.layers
            if layer["kind"] in ("add", "sum-pool", "scale", "clip", "table") or {"padding", "groups", "sums"} & layer.keys()]
    if not news:
        return None
    made.head["format"] = 1
    return ["format 2"]


def _a_name_twice(rng, made):
    """Which format 1 allows."""
    if made.head["format"] < 2 or len(made.layers) < 2:
        return None
    first, second = rng.sample(made.layers, 2)
    second["name"] = first["name"]
    return [first["name"]]


def _groups_that_do_not_divide(rng, made):
    layer = _pick(rng, made, "convolution")
    if layer is None or made.head["format"] < 2:
        return None
    layer["groups"] = layer["filters"] + 1
    return [layer["name"]]


def _values_from_nowhere(rng, made):
    """Those of a layer that there is not, or that comes later."""
    layer = _pick(rng, made, "add", "dense", "convolution")
    if layer is None or made.head["format"] < 2:
        return None
    layer["from"] = rng.choice(["nowhere", layer["name"]])
    return [layer["name"], "no layer before it"]


def _padding_of_whole_windows(rng, made):
    layer = _pick(rng, made, "convolution")
    if layer is None or made.head["format"] < 2:
        return None
    layer["padding"] = layer["size"]
    return [layer["name"]]


def _text_of_no_line(rng, made):
    field = rng.choice(["name", "description"])
    made.head[field] = rng.choice(["", "two\nlines"])
    return [field]


_FAULTS = [value for name, value in list(globals().items())
           if name.startswith("_") and callable(value) and name not in ("_pick",)]
