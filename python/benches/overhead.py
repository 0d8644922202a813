"""What Python adds: to the inference of 16 pictures over `bnn infer`, to memory while pictures are encrypted, and to a start.

    python python/benches/overhead.py --bnn target/release/bnn

Pairs run one after the other, and medians of ratios are told, as the machine may be shared.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import bnn_tfhe as bnn

PICTURES, PAIRS = 16, 7
ENCRYPTED = 1000

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--bnn", type=Path, required=True, help="the command")
arguments.add_argument("--model", default="binarized-perceptron", help="a model that ships")
arguments = arguments.parse_args()


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def imported():
    program = "import time; start = time.perf_counter(); import bnn_tfhe; print(time.perf_counter() - start)"
    return float(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)


imported()
print(f"import bnn_tfhe: {statistics.median(imported() for _ in range(7)):.3f} s, numpy's included")

model = bnn.Model.shipped(arguments.model)
client = bnn.Client(model.client_specification())
pictures = np.zeros((PICTURES, 28, 28), np.uint8)
pictures[:, 4:24, 12:16] = 255
images = client.encrypt(pictures)
server = bnn.Server(model, client.cloud_key())
with tempfile.TemporaryDirectory() as folder:
    names = [f"{index}.enc" for index in range(PICTURES)]
    for name, image in zip(names, images):
        image.save(Path(folder, name))
    client.cloud_key().save(Path(folder, "cloud.key"))
    command = [arguments.bnn.resolve(), "infer", *names, "--model", arguments.model, "--cloud-key", "cloud.key"]
    command += ["--json", "--force"]
    ratios, own = [], []
    server.infer(images)
    for _ in range(PAIRS):
        said = subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True)
        # The command's own time of the work, without its start and the preparation of the key.
        native = json.loads(said.stdout)["seconds"]
        own.append(seconds(lambda: server.infer(images)))
        ratios.append(own[-1] / native)
print(
    f"infer of {PICTURES} pictures, {arguments.model}, {bnn.threads()} threads: {statistics.median(own):.2f} s; over bnn infer "
    f"{statistics.median(ratios):.3f} (median of {PAIRS} pairs, {min(ratios):.3f} to {max(ratios):.3f})"
)

size = len(images[0].to_bytes())
program = f"""
import resource, sys, numpy as np, bnn_tfhe as bnn
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
client = bnn.Client(bnn.Model.shipped({arguments.model!r}).client_specification())
pictures = np.zeros(({ENCRYPTED}, 28, 28), np.uint8)
client.encrypt(pictures[:2])
before = peak()
images = client.encrypt(pictures)
print(peak() - before)
"""
grown = int(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)
print(
    f"encrypting {ENCRYPTED} pictures: {grown / 1e6:.1f} MB more at the most, where their ciphertexts are "
    f"{ENCRYPTED * size / 1e6:.1f} MB: {grown / (ENCRYPTED * size):.2f} times"
)
