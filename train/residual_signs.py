"""Trains a deep binarized network on MNIST whose signs have ways around layers, and writes it as an ONNX file.

    pip install numpy jax onnx
    python3 train/residual_signs.py --data FOLDER --out residual-signs.onnx

FOLDER has MNIST's four gzip files. Seven layers with weights, of which the six convolutions are followed by signs: filters of 5 x 5 with a
stride of 3 on the pixels, then five of 3 x 3 with weights of -1 and 1 only. Each convolution has batch normalisation (a mean a channel, one
variance a layer), and where its shape allows it what it reads is added to what it gives, before the sign. The ten scores read the last signs.
"""

import argparse
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mnist import VALIDATION, accuracy, adam, cross_entropy, data, no_moments

# Filters, channels read, side, stride, padding, and whether what is read is added.
LAYERS = [
    (12, 1, 5, 3, 1, False),
    (12, 12, 3, 1, 1, True),
    (12, 12, 3, 1, 1, True),
    (24, 12, 3, 2, 1, False),
    (24, 24, 3, 1, 1, True),
    (24, 24, 3, 1, 1, True),
]
# Standard deviation of the noise of a sum, in those of the sums: a bootstrap adds about half of it.
NOISE = 0.05
EPSILON = 1e-5


def initial(rng):
    """What is trained, and the means and variances that are followed."""
    trained = {"scores.weight": rng.normal(0, 0.04, (10, 600)), "scores.bias": np.zeros(10)}
    followed = {}
    for layer, (filters, channels, side, *_) in enumerate(LAYERS):
        trained[f"conv{layer}"] = rng.uniform(-1, 1, (filters, channels, side, side))
        trained[f"offset{layer}"] = np.zeros(filters)
        followed[f"mean{layer}"], followed[f"variance{layer}"] = np.zeros(filters), np.ones(())
    return tuple(jax.tree.map(lambda value: np.asarray(value, np.float32), part) for part in (trained, followed))


def sign(x, reach=1.5):
    """1 from 0 on, else -1; its gradient is that of x near 0."""
    soft = jnp.clip(x, -reach, reach)
    return soft + jax.lax.stop_gradient(jnp.where(x >= 0, 1.0, -1.0) - soft)


def weights(trained, layer):
    w = trained[f"conv{layer}"]
    return w if layer == 0 else sign(w, 1.0)


def scores(trained, followed, x, key=None):
    """The scores, and the means and variances of this batch; with a key as in training."""
    seen = {}
    for layer, (_, _, _, stride, padding, is_added) in enumerate(LAYERS):
        sums = jax.lax.conv_general_dilated(
            x, weights(trained, layer), (stride, stride), [(padding, padding)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW")
        )
        mean, variance = followed[f"mean{layer}"], followed[f"variance{layer}"]
        if key is not None:
            mean = jnp.mean(sums, (0, 2, 3))
            variance = jnp.mean((sums - mean[None, :, None, None]) ** 2)
            seen |= {f"mean{layer}": mean, f"variance{layer}": variance}
        y = (sums - mean[None, :, None, None]) / jnp.sqrt(variance + EPSILON)
        y = y + trained[f"offset{layer}"][None, :, None, None]
        if key is not None:
            key, own = jax.random.split(key)
            y = y + NOISE * jax.random.normal(own, y.shape)
        x = sign(y + x if is_added else y)
    return x.reshape(len(x), -1) @ trained["scores.weight"].T + trained["scores.bias"], seen


def loss(trained, followed, x, labels, key):
    given, seen = scores(trained, followed, x, key)
    return cross_entropy(given, labels), seen


@jax.jit
def step(trained, followed, moments, count, rate, x, labels, key):
    """One step of Adam, after which weights stay within -1 and 1."""
    gradients, seen = jax.grad(loss, has_aux=True)(trained, followed, x, labels, key)
    trained, moments = adam(trained, gradients, moments, count, rate)
    trained = {name: jnp.clip(value, -1, 1) if name.startswith("conv") else value for name, value in trained.items()}
    followed = jax.tree.map(lambda old, new: 0.98 * old + 0.02 * new, followed, seen)
    return trained, followed, moments


evaluate = jax.jit(lambda trained, followed, x: jnp.argmax(scores(trained, followed, x)[0], 1))


def train(images, labels, epochs, seed):
    rng, key = np.random.default_rng(seed), jax.random.key(seed)
    trained, followed = initial(rng)
    moments = no_moments(trained)
    count, best = 0, (0.0, None)
    x, y = images[:-VALIDATION], labels[:-VALIDATION].astype(np.int32)
    for epoch in range(epochs):
        rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        order = rng.permutation(len(x))
        for start in range(0, len(x) - 99, 100):
            part, count = order[start : start + 100], count + 1
            own = jax.random.fold_in(key, count)
            trained, followed, moments = step(trained, followed, moments, float(count), rate, x[part], y[part], own)
        validation = accuracy(lambda x: evaluate(trained, followed, x), images[-VALIDATION:], labels[-VALIDATION:])
        print(f"epoch {epoch + 1}: {100 * validation:.2f} % of the validation images", flush=True)
        best = max(best, (validation, (trained, followed)), key=lambda entry: entry[0])
    return best[1]


def export(trained, followed):
    nodes, tensors = [], []

    def node(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], name=f"/{output}", **attributes))
        return output

    def tensor(name, value):
        tensors.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    x = "input"
    for layer, (filters, _, side, stride, padding, is_added) in enumerate(LAYERS):
        name = f"conv{layer + 1}"
        inputs = [x, tensor(f"{name}.weight", weights(trained, layer))]
        y = node("Conv", inputs, name, kernel_shape=[side] * 2, pads=[padding] * 4, strides=[stride] * 2)
        of_channels = [np.ones(filters), trained[f"offset{layer}"], followed[f"mean{layer}"], np.full(filters, followed[f"variance{layer}"])]
        norm = [tensor(f"norm{layer + 1}.{part}", value) for part, value in zip(["weight", "bias", "mean", "var"], of_channels)]
        y = node("BatchNormalization", [y, *norm], f"norm{layer + 1}", epsilon=EPSILON)
        x = node("Sign", [node("Add", [y, x], f"add{layer + 1}") if is_added else y], f"sign{layer + 1}")
    x = node("Flatten", [x], "flat")
    node("Gemm", [x, tensor("scores.weight", trained["scores.weight"]), tensor("scores.bias", trained["scores.bias"])], "scores", transB=1)
    graph = helper.make_graph(
        nodes,
        "residual_signs",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 10])],
        tensors,
    )
    model = helper.make_model(graph, producer_name="residual_signs.py", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of MNIST's gzip files")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="ONNX file to write")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    state = train(*data(arguments.data, "train"), arguments.epochs, arguments.seed)
    print(f"{100 * accuracy(lambda x: evaluate(*state, x), *data(arguments.data, 't10k')):.2f} % of the test images")
    onnx.save(export(*state), arguments.out)


if __name__ == "__main__":
    main()
