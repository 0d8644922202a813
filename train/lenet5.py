"""Trains LeNet-5 on MNIST in floating point, without a thought of encryption, and writes it as an exporter of PyTorch would.

    pip install numpy jax onnx
    python3 train/lenet5.py --data FOLDER --out lenet5.onnx

FOLDER has MNIST's four gzip files. The network is the textbook's: two convolutions of 5 x 5 (6 and 16 filters, the first with a
padding of 2), each with a rectifier and averages of 2 x 2 (or maxima), then 120, 84 and 10 neurons. Pixels are grey / 255.
"""

import argparse
import functools
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mnist import VALIDATION, accuracy, adam, cross_entropy, data, no_moments



SHAPES = {
    "conv1.weight": (6, 1, 5, 5),
    "conv2.weight": (16, 6, 5, 5),
    "fc1.weight": (120, 400),
    "fc2.weight": (84, 120),
    "fc3.weight": (10, 84),
}


def initial(rng):
    parameters = {}
    for name, shape in SHAPES.items():
        bound = 1 / np.sqrt(np.prod(shape[1:]))
        parameters[name] = rng.uniform(-bound, bound, shape).astype(np.float32)
        parameters[name.replace("weight", "bias")] = rng.uniform(-bound, bound, shape[0]).astype(np.float32)
    return parameters


def scores(p, x, pool):
    def convolution(x, name, padding):
        y = jax.lax.conv_general_dilated(
            x, p[f"{name}.weight"], (1, 1), [(padding, padding)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW")
        )
        return jax.nn.relu(y + p[f"{name}.bias"][None, :, None, None])

    def pooled(x):
        window = (1, 1, 2, 2), (1, 1, 2, 2), "VALID"
        if pool == "max":
            return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, *window)
        return jax.lax.reduce_window(x, 0.0, jax.lax.add, *window) / 4

    x = pooled(convolution(x, "conv1", 2))
    x = pooled(convolution(x, "conv2", 0))
    x = x.reshape(len(x), -1)
    for name in ["fc1", "fc2"]:
        x = jax.nn.relu(x @ p[f"{name}.weight"].T + p[f"{name}.bias"])
    return x @ p["fc3.weight"].T + p["fc3.bias"]


def loss(p, x, labels, pool):
    return cross_entropy(scores(p, x, pool), labels)


@functools.partial(jax.jit, static_argnames="pool")
def step(p, moments, count, rate, x, labels, pool):
    return adam(p, jax.grad(loss)(p, x, labels, pool), moments, count, rate)


evaluate = jax.jit(lambda p, x, pool: jnp.argmax(scores(p, x, pool), 1), static_argnames="pool")


def train(images, labels, epochs, seed, pool):
    rng = np.random.default_rng(seed)
    p = initial(rng)
    moments = no_moments(p)
    count, best = 0, (0.0, p)
    x, y = images[:-VALIDATION], labels[:-VALIDATION].astype(np.int32)
    for epoch in range(epochs):
        rate = 1e-3 * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        order = rng.permutation(len(x))
        for start in range(0, len(x) - 99, 100):
            part, count = order[start : start + 100], count + 1
            p, moments = step(p, moments, float(count), rate, x[part], y[part], pool)
        validation = accuracy(lambda x: evaluate(p, x, pool), images[-VALIDATION:], labels[-VALIDATION:])
        print(f"epoch {epoch + 1}: {100 * validation:.2f} % of the validation images", flush=True)
        best = max(best, (validation, p), key=lambda entry: entry[0])
    return best[1]


def export(p, pool):
    """The network as torch.onnx.export writes it: parameters are initializers, and `Gemm` has transposed weights."""
    nodes = []

    def node(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], name=f"/{output}", **attributes))
        return output

    def convolution(x, name, padding):
        attributes = dict(dilations=[1, 1], group=1, kernel_shape=[5, 5], pads=[padding] * 4, strides=[1, 1])
        x = node("Conv", [x, f"{name}.weight", f"{name}.bias"], f"{name}/Conv_output_0", **attributes)
        x = node("Relu", [x], f"{name}/Relu_output_0")
        kind = "MaxPool" if pool == "max" else "AveragePool"
        return node(kind, [x], f"{name}/{kind}_output_0", kernel_shape=[2, 2], strides=[2, 2])

    x = convolution("input", "conv1", 2)
    x = convolution(x, "conv2", 0)
    x = node("Flatten", [x], "Flatten_output_0", axis=1)
    for name in ["fc1", "fc2"]:
        x = node("Gemm", [x, f"{name}.weight", f"{name}.bias"], f"{name}/Gemm_output_0", alpha=1.0, beta=1.0, transB=1)
        x = node("Relu", [x], f"{name}/Relu_output_0")
    node("Gemm", [x, "fc3.weight", "fc3.bias"], "output", alpha=1.0, beta=1.0, transB=1)
    graph = helper.make_graph(
        nodes,
        "main_graph",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in p.items()],
    )
    model = helper.make_model(graph, producer_name="lenet5.py", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of MNIST's gzip files")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="ONNX file to write")
    parser.add_argument("--pool", choices=["average", "max"], default="average")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    pool = arguments.pool
    p = train(*data(arguments.data, "train"), arguments.epochs, arguments.seed, pool)
    print(f"{100 * accuracy(lambda x: evaluate(p, x, pool), *data(arguments.data, 't10k')):.2f} % of the test images")
    onnx.save(export(p, pool), arguments.out)


if __name__ == "__main__":
    main()
