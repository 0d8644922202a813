"""Makes a small model folder without any training framework: numpy and safetensors are all it needs.

    python models/example.py --data DIR --out my-model       # DIR: MNIST's four gzipped IDX files, or alike
    bnn inspect my-model                                     # the folder, checked

A binarized perceptron, trained in some minutes. docs/formats.md has the format; train/ makes better networks.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

HIDDEN, THRESHOLD, FRACTION_BITS = 256, 128, 4
EPOCHS, BATCH, RATE, WINDOW, NOISE = 15, 200, 0.01, 8, 1.7

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--data", type=Path, required=True)
arguments.add_argument("--out", type=Path, required=True)
arguments = arguments.parse_args()


def read(name):
    """The items of an IDX file, a row each: after 4 bytes, and 4 for each dimension, come unsigned bytes."""
    content = gzip.decompress((arguments.data / f"{name}-ubyte.gz").read_bytes())
    dimensions = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(dimensions[0], -1)


def sign(y):
    return np.where(y >= 0, np.float32(1), np.float32(-1))


# Encoding "threshold": a bit a pixel.
x, labels = (read("train-images-idx3") >= THRESHOLD).astype(np.float32), read("train-labels-idx1").ravel()
random, mean = np.random.default_rng(1), x.mean(axis=0)
# What training moves: reals behind hidden weights and biases, score weights and biases; Adam keeps averages of each.
latent = [random.uniform(-0.1, 0.1, shape) for shape in [(HIDDEN, x.shape[1]), HIDDEN, (10, HIDDEN), 10]]
latent = [numbers.astype(np.float32) for numbers in latent]
first, second = [[np.zeros_like(numbers) for numbers in latent] for _ in range(2)]
steps = EPOCHS * (len(x) // BATCH)
for step in range(steps):
    chosen = random.integers(0, len(x), BATCH)
    w, v, image = sign(latent[0]), latent[2], x[chosen]
    y = image @ w.T + (16 * latent[1] - w @ mean)
    h = sign(y + NOISE * random.standard_normal(y.shape, np.float32))  # the noise that encryption adds
    s = h @ v.T + latent[3]
    p = np.exp(s - s.max(axis=1, keepdims=True))
    to_s = (p / p.sum(axis=1, keepdims=True) - (labels[chosen, None] == np.arange(10))) / BATCH
    to_y = to_s @ v * (abs(y) <= WINDOW)  # straight through the sign
    gradients = [to_y.T @ (image - mean), 16 * to_y.sum(axis=0), to_s.T @ h, to_s.sum(axis=0)]
    for numbers, gradient, m, q in zip(latent, gradients, first, second):
        m += 0.1 * (gradient - m)
        q += 0.001 * (gradient**2 - q)
        bias = np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
        numbers -= RATE * (1 - step / steps) * bias * m / (np.sqrt(q) + 1e-8)
        np.clip(numbers, -1, 1, out=numbers)

# The integers: h = sign(W x + b + 1/2) with W of -1 and +1, and s = (V h + c) / 2^fraction_bits.
w, b = sign(latent[0]).astype(np.int8), np.round(16 * latent[1] - sign(latent[0]) @ mean).astype(np.int32)
v, c = [np.round(numbers * 2**FRACTION_BITS) for numbers in latent[2:]]
v, c = v.astype(np.int8), c.astype(np.int32)
images, labels = (read("t10k-images-idx3") >= THRESHOLD).astype(np.float32), read("t10k-labels-idx1").ravel()
right = np.argmax(sign(images @ w.T + b) @ v.T + c, axis=1) == labels  # floats hold these integers exactly
print(f"test accuracy in the integer meaning: {100 * right.mean():.2f} %")

# A client refuses pictures with more than max_active set pixels: the fewer, the less noise. 15 % is head room.
max_active = int(1.15 * x.sum(axis=1).max())
text = f'format = 1\nname = "example"\ndescription = "{HIDDEN} signs, trained with numpy"\n'
text += f'input = {{width = 28, height = 28, encoding = "threshold", '
text += f"threshold = {THRESHOLD}, max_active = {max_active}}}\n"
layer = '\n[[layers]]\nname = "{0}"\nkind = "{1}"\nweights = "{0}.w"\nbiases = "{0}.b"\ninputs = {2}\noutputs = {3}\n'
text += layer.format("hidden", "binary-dense", x.shape[1], HIDDEN) + layer.format("scores", "dense", HIDDEN, 10)
arguments.out.mkdir(parents=True, exist_ok=True)
(arguments.out / "manifest.toml").write_text(text + f"fraction_bits = {FRACTION_BITS}\n")
tensors = {"hidden.w": w, "hidden.b": b, "scores.w": v, "scores.b": c}
# safetensors writes an array as it lies in memory, which for a transposed one is another order than its shape says.
weights = arguments.out / "weights.safetensors"
save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, weights)
written = load_file(weights)
if not all(np.array_equal(written[name], tensor) for name, tensor in tensors.items()):
    raise SystemExit(f"{weights}: what was written is not what was trained")
