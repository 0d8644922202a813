"""What Ray adds to the work, and what a cluster of many nodes would be bound by.

    python python/benches/ray_scale.py --model sign-cnn --images 24 --rounds 3

measures, on this machine: images a minute in one process of 1 and of 2 threads, against 1 and 2 actors of one thread each (the rounds of both take
turns, and what is timed is from the first block of images to the last, so that starting is not part of it); bytes and times of a cloud
key, an image and scores; and how many blocks a second Ray moves when they take no work. From these it calculates what 16, 64 and 256 nodes
need.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_DATA_DISABLE_PROGRESS_BARS"] = "1"

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray

import bnn_tfhe as bnn
from bnn_tfhe.ray import evaluate_dataset

# What is assumed of a cluster: processors of a node, and bytes a second that one machine sends or receives (10 Gbit/s).
NODE_CPUS = 16
NETWORK = 1.25e9


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", default="perceptron")
    arguments.add_argument("--images", type=int, default=96)
    arguments.add_argument("--block-rows", type=int, default=8)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--alone", help=argparse.SUPPRESS)
    arguments.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    arguments = arguments.parse_args()
    if arguments.alone:
        print(json.dumps(alone(arguments.alone, arguments)))
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(arguments, folder)


def measure(arguments, folder):
    model = bnn.Model.shipped(arguments.model)
    client = bnn.Client(model.client_specification())
    key = client.cloud_key()
    # As much ink as digits have.
    pictures = np.where(np.random.default_rng(1).random((arguments.images, *model.input_shape)) < 0.2, 255, 0).astype(np.uint8)
    images = [image.to_bytes() for image in client.encrypt(pictures)]
    table = pa.table({"id": range(len(images)), "image": pa.array(images, pa.binary())})
    path = f"{folder}/images.parquet"
    pq.write_table(table, path)
    key.save(f"{folder}/cloud.key")

    # Three more processors than actors: those tasks of Ray's that move rows take little of them.
    ray.init(num_cpus=5, include_dashboard=False, log_to_driver=False)
    took, sizes = moving(model, key, images[0])
    rounds = {(kind, count): [] for count in (1, 2) for kind in ("process", "ray")}
    for _ in range(arguments.rounds):
        for kind, count in rounds:
            if kind == "ray":
                rows = evaluate_dataset(path, model, key, actors=count, block_rows=arguments.block_rows)
                speed = speed_of(rows.iter_batches(batch_size=arguments.block_rows), arguments.images)
            else:
                line = [sys.executable, __file__, "--alone", folder, "--threads", str(count), "--model", arguments.model]
                line += ["--images", str(arguments.images), "--block-rows", str(arguments.block_rows)]
                speed = json.loads(subprocess.run(line, check=True, capture_output=True).stdout)
            rounds[kind, count].append(speed)
            print(f"{kind:8} {count}  {speed:8.1f} images a minute", flush=True)
    for count in (1, 2):
        shares = [there / here for there, here in zip(rounds["ray", count], rounds["process", count])]
        median = {kind: statistics.median(rounds[kind, count]) for kind in ("process", "ray")}
        print(
            f"{count} threads: {median['process']:.1f} images a minute in one process, {median['ray']:.1f} on Ray; "
            f"paired {statistics.median(shares):.1%} ({min(shares):.1%} to {max(shares):.1%})"
        )
    blocks = empty_blocks(path, sizes["scores"], arguments.block_rows)
    seconds = 60 / statistics.median(rounds["process", 1])
    calculate(seconds, sizes, took, blocks, arguments.block_rows)
    ray.shutdown()


def alone(folder, arguments):
    """Images a minute of one process."""
    bnn.set_threads(arguments.threads)
    table = pq.read_table(f"{folder}/images.parquet")
    images = [bnn.EncryptedImage.from_bytes(image) for image in table.column("image").to_pylist()]
    server = bnn.Server(bnn.Model.shipped(arguments.model), bnn.CloudKey.load(f"{folder}/cloud.key"))
    rows = arguments.block_rows

    def blocks():
        for first in range(0, len(images), rows):
            yield [scores.to_bytes() for scores in server.infer(images[first : first + rows])]

    return speed_of(blocks(), len(images))


def speed_of(blocks, images):
    """Images a minute, from the end of the first block on."""
    ends = [time.monotonic() for _ in blocks]
    return 60 * images * (len(ends) - 1) / len(ends) / (ends[-1] - ends[0])


def timed(work):
    start = time.monotonic()
    result = work()
    return time.monotonic() - start, result


def moving(model, key, image):
    """Seconds and bytes of what is moved."""
    data = key.to_bytes()
    put, reference = timed(lambda: ray.put(data))
    get, _ = timed(lambda: ray.get(reference))
    expand, evaluator = timed(lambda: bnn.Evaluator(bnn.CloudKey.from_bytes(data)))
    scores = bnn.Server(model, evaluator).infer(bnn.EncryptedImage.from_bytes(image)).to_bytes()
    sizes = {"key": len(data), "image": len(image), "scores": len(scores)}
    took = {"put": put, "get": get, "expand": expand}
    print(f"cloud key {sizes['key']:,} bytes: put {put * 1e3:.0f} ms, got {get * 1e3:.0f} ms, expanded {expand * 1e3:.0f} ms")
    print(f"image {sizes['image']:,} bytes, scores {sizes['scores']:,} bytes, expanded key {evaluator.memory_bytes:,} bytes")
    return took, sizes


class Nothing:
    """Scores of the right length, without work."""

    def __init__(self, size):
        self._scores = bytes(size)

    def __call__(self, batch):
        return {"id": batch["id"], "scores": np.array([self._scores] * len(batch["id"]), dtype=object)}


def empty_blocks(path, size, block_rows):
    """Blocks a second that Ray moves where the work is none."""
    rows = ray.data.read_parquet(path)
    many = rows.union(*[rows] * 15).repartition(target_num_rows_per_block=block_rows)
    results = many.map_batches(Nothing, batch_size=block_rows, concurrency=2, fn_constructor_args=(size,), num_cpus=1)
    ends = [time.monotonic() for _ in results.iter_batches(batch_size=block_rows)]
    speed = (len(ends) - 1) / (ends[-1] - ends[0])
    print(f"{speed:.0f} blocks a second of {block_rows} rows without work ({len(ends)} blocks)")
    return speed


def calculate(seconds, sizes, took, blocks, block_rows):
    """What nodes need, against what one driver and one network interface have."""
    print(f"\nof nodes with {NODE_CPUS} processors, {seconds:.2f} s an image and processor, and {NETWORK * 8e-9:.0f} Gbit/s a machine:")
    print("nodes  images a second  blocks a second (of what one driver moves)  scores (of one interface)  key to all nodes, one by one")
    for nodes in (16, 64, 256):
        images = nodes * NODE_CPUS / seconds
        needed, network = images / block_rows, images * (sizes["scores"] + sizes["image"])
        spread = nodes * sizes["key"] / NETWORK + took["expand"]
        print(
            f"{nodes:5}  {images:15.1f}  {needed:8.1f} ({needed / blocks:6.1%})  {network / 1e6:8.1f} MB/s ({network / NETWORK:6.1%})"
            f"  {spread:5.1f} s"
        )
    driver, interface = blocks * block_rows * seconds, NETWORK * seconds / (sizes["scores"] + sizes["image"])
    first = "blocks that one driver moves" if driver < interface else "bytes of scores through one interface"
    print(f"first bottleneck: {first}, at {min(driver, interface) / NODE_CPUS:.0f} nodes")


if __name__ == "__main__":
    main()
