"""What both examples do: read digits, and follow a network from its ONNX file to encrypted answers."""

import argparse
import gzip
import sys
from pathlib import Path

import numpy as np

import bnn_tfhe as bnn


def arguments(description: str) -> argparse.Namespace:
    """The command line of an example."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of MNIST's four gzip files")
    parser.add_argument("--epochs", type=int, default=5, help="how often training goes through the pictures [5]")
    parser.add_argument("--encrypted", type=int, default=20, help="test pictures that are sent encrypted [20]")
    parser.add_argument("--limit", type=int, help="training pictures that are used [all]")
    return parser.parse_args()


def read(folder: Path, name: str) -> np.ndarray:
    """An IDX file: after 4 bytes, and 4 for each dimension, come unsigned bytes."""
    content = gzip.decompress((folder / f"{name}-ubyte.gz").read_bytes())
    dimensions = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(dimensions)


def digits(options: argparse.Namespace) -> tuple[np.ndarray, ...]:
    """Training pictures with their labels, and test pictures with theirs."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    x, labels, x_test, test_labels = (read(options.data, name) for name in names)
    return x[: options.limit], labels[: options.limit], x_test, test_labels


def bar(name: str):
    """A line of progress, where somebody looks."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{name}: {done} of {total}", end="\n" if done == total else "", file=sys.stderr)

    return show


def follow(onnx: bytes, options: argparse.Namespace, real: np.ndarray) -> None:
    """Imports a network, sends pictures encrypted, and prints what becomes of its accuracy.

    ``real`` are the labels that the framework's network gives to the test pictures.
    """
    x, labels, x_test, test_labels = digits(options)
    model = bnn.Model.from_onnx(onnx, x[:1000], labels=labels[:1000], name="own", progress=bar("widths of weights"))
    cost = model.estimate()
    print(f"weights of {model.imported['weight_bits']} bits, {cost['bootstraps']} bootstraps under {cost['parameters']}")

    # The client's side holds the secret key, the server's the cloud key.
    client = bnn.Client(model.client_specification())
    server = bnn.Server(model, client.cloud_key())
    sent = client.encrypt(x_test[: options.encrypted])
    scores = client.decrypt(server.infer(sent, progress=bar("bootstraps")))

    integers, simulated = model.evaluate(x_test).argmax(-1), model.simulate(x_test[:1000]).argmax(-1)
    print("\n| | right | label of the integers |\n|---|---|---|")
    for name, found in (("floating point", real), ("integers", integers), ("simulated", simulated),
                        ("encrypted", scores.argmax(-1))):
        count = len(found)
        right, equal = (found == test_labels[:count]).sum(), (found == integers[:count]).sum()
        print(f"| {name} | {right} of {count}, {right / count:.2%} | {equal} of {count}, {equal / count:.2%} |")
