"""From JAX to an encrypted answer: a perceptron is trained, written as ONNX, imported and run on ciphertexts.

    pip install jax onnx                     # and the wheel of this package
    python python/examples/from_jax.py --data FOLDER

JAX has no exporter of its own, and the file of a network so small is written by hand. (Keras writes one by `model.export(FILE,
format="onnx")`.)
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from common import arguments, digits, follow

SIZES = (784, 64, 10)
BATCH, RATE, INERTIA = 128, 0.1, 0.9

options = arguments(__doc__)
x, labels, x_test, _ = digits(options)


def real(images: np.ndarray) -> np.ndarray:
    """Pictures as the network reads them: from 0 for black to 1, in one row."""
    return images.reshape(len(images), -1).astype(np.float32) / 255


def scores(layers, pixels):
    (w, b), (v, c) = layers
    return jax.nn.relu(pixels @ w + b) @ v + c


@functools.partial(jax.jit, donate_argnums=(0, 1))
def step(layers, speeds, pixels, wanted):
    def loss(layers):
        given = jax.nn.log_softmax(scores(layers, pixels))
        return -jnp.take_along_axis(given, wanted[:, None], 1).mean()

    value, slopes = jax.value_and_grad(loss)(layers)
    speeds = jax.tree.map(lambda speed, slope: INERTIA * speed - RATE * slope, speeds, slopes)
    return jax.tree.map(jnp.add, layers, speeds), speeds, value


random = np.random.default_rng(1)
layers = [
    (jnp.asarray(random.normal(0, (2 / inputs) ** 0.5, (inputs, outputs)), jnp.float32), jnp.zeros(outputs))
    for inputs, outputs in zip(SIZES, SIZES[1:])
]
speeds = jax.tree.map(jnp.zeros_like, layers)
for epoch in range(options.epochs):
    order = random.permutation(len(x))[: len(x) // BATCH * BATCH].reshape(-1, BATCH)
    for batch in order:
        layers, speeds, value = step(layers, speeds, real(x[batch]), labels[batch].astype(np.int32))
    print(f"epoch {epoch + 1}: loss {value:.3f}")

names = ["w", "b", "v", "c"]
numbers = [np.asarray(array) for layer in layers for array in layer]
graph = helper.make_graph(
    [
        helper.make_node("Flatten", ["picture"], ["pixels"]),
        helper.make_node("Gemm", ["pixels", "w", "b"], ["sums"]),
        helper.make_node("Relu", ["sums"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "v", "c"], ["scores"]),
    ],
    "perceptron",
    [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 1, 28, 28])],
    [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 10])],
    [numpy_helper.from_array(array, name) for name, array in zip(names, numbers)],
)
onnx = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()
follow(onnx, options, np.asarray(scores(layers, real(x_test))).argmax(-1))
