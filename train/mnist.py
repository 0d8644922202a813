"""What the trainers for MNIST that use JAX have in common: the images, accuracy, and Adam."""

import gzip

import jax
import jax.numpy as jnp
import numpy as np

# The last training images choose the epoch.
VALIDATION = 5000


def read(path, offset):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def data(folder, name):
    """Images from 0 to 1 of shape (images, 1, 28, 28), and labels: `train` or `t10k` of MNIST's gzip files."""
    images = read(folder / f"{name}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    return images.astype(np.float32) / 255, read(folder / f"{name}-labels-idx1-ubyte.gz", 8)


def accuracy(labels_of, images, labels):
    """The share of images to which `labels_of` gives their label, a tenth of them at a time."""
    return np.mean(np.concatenate([labels_of(part) for part in np.array_split(images, 10)]) == labels)


def no_moments(parameters):
    return tuple({name: np.zeros_like(value) for name, value in parameters.items()} for _ in range(2))


def adam(parameters, gradients, moments, count, rate):
    """A step of Adam, the count-th: the parameters and the moments after it."""
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], gradients)
    scale = jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    update = lambda p, m, v: p - rate * scale * m / (jnp.sqrt(v) + 1e-8)
    return jax.tree.map(update, parameters, first, second), (first, second)


def cross_entropy(scores, labels):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], 1))
