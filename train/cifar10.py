"""Trains a deep network for CIFAR-10 whose activations stand the noise of encrypted evaluation, and writes it as an ONNX file.

    pip install numpy pillow onnx torch
    python3 train/cifar10.py --data FOLDER --out cifar10.onnx --pictures cifar10

FOLDER has `train.tar.xz` and `test.tar.xz`, each with `SPLIT/CLASS/NNNN.jpg`. Seven convolutions with three strides, each with batch
normalisation and a rectifier that ends at 3; averages; ten scores. Weights are integers of three bits with a scale a filter
from the first step on (those that read pixels: eight bits), and every sum has the noise that a bootstrap will add to it.

The run keeps its state in OUT.checkpoint after every epoch, and goes on from there when it is started again. `--pictures` writes the
decoded pictures as the IDX files that `bnn` reads: images of 3 x 32 x 32, colour by colour.
"""

import argparse
import io
import pathlib
import struct
import tarfile
import time

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

# Of each class, the last training images choose the epoch.
VALIDATION = 250
# Side of the filters, stride, padding, channels read, filters, bits of a weight. The first has no padding: black is not 0 there.
CONVOLUTIONS = [
    (4, 2, 0, 3, 64, 8),
    (3, 1, 1, 64, 64, 3),
    (3, 2, 1, 64, 128, 3),
    (3, 1, 1, 128, 128, 3),
    (3, 1, 1, 128, 128, 3),
    (3, 2, 1, 128, 256, 3),
    (3, 1, 1, 256, 256, 3),
]
# Where a rectifier ends, in standard deviations of its sums.
END = 3.0
# Standard deviation of the noise of a sum, in those of the sums of a layer.
NOISE = 0.08
EPSILON = 1e-5


def read(path):
    """The images, as bytes of shape (images, 3, 32, 32), and their labels, in the order of the names."""
    with tarfile.open(path) as archive:
        files = {m.name.removeprefix("./"): archive.extractfile(m).read() for m in archive if m.isfile()}
    names = sorted(name for name in files if name.endswith(".jpg"))
    classes = sorted({name.split("/")[-2] for name in names})
    images = [np.asarray(Image.open(io.BytesIO(files[name])).convert("RGB")) for name in names]
    labels = np.array([classes.index(name.split("/")[-2]) for name in names], np.uint8)
    return np.stack(images).transpose(0, 3, 1, 2), labels


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + np.ascontiguousarray(array).tobytes())


def scales(weights, bits):
    """What an integer 1 is, of each filter."""
    return weights.detach().abs().amax((1, 2, 3), keepdim=True) / (2 ** (bits - 1) - 1)


def quantised(weights, bits):
    """The nearest integers times a scale a filter, with the gradient of the weights themselves."""
    scale = scales(weights, bits)
    return weights + ((weights / scale).round() * scale - weights).detach()


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.convolutions = torch.nn.ModuleList(
            torch.nn.Conv2d(channels, filters, size, stride, padding, bias=False)
            for size, stride, padding, channels, filters, _ in CONVOLUTIONS
        )
        self.norms = torch.nn.ModuleList(torch.nn.BatchNorm2d(c.out_channels, EPSILON) for c in self.convolutions)
        self.scores = torch.nn.Linear(CONVOLUTIONS[-1][4], 10)
        # Drawn once: slices of it are as good as new numbers, and much cheaper.
        self.register_buffer("noise", torch.randn(1 << 23), persistent=False)

    def forward(self, x):
        for convolution, norm, (_, stride, padding, _, _, bits) in zip(self.convolutions, self.norms, CONVOLUTIONS):
            x = F.conv2d(x, quantised(convolution.weight, bits), None, stride, padding)
            if self.training:
                start = int(torch.randint(self.noise.numel() - x.numel(), ()))
                noise = self.noise[start : start + x.numel()].view(x.shape[0], x.shape[2], x.shape[3], x.shape[1])
                x = x + (NOISE * norm.running_var.mean().sqrt()) * noise.permute(0, 3, 1, 2)
            x = norm(x).clamp(0, END)
        return self.scores(x.mean((2, 3)))


def augmented(images, rng):
    """Each image mirrored or not, and moved by up to three pixels in each direction."""
    count, most = len(images), 3
    padded = F.pad(images, [most] * 4, mode="reflect")
    moves = rng.integers(0, 2 * most + 1, (2, count))
    result = torch.empty_like(images)
    for down in range(2 * most + 1):
        for right in range(2 * most + 1):
            chosen = torch.from_numpy(np.flatnonzero((moves[0] == down) & (moves[1] == right)))
            result[chosen] = padded[chosen, :, down : down + 32, right : right + 32]
    mirrored = torch.from_numpy(np.flatnonzero(rng.integers(0, 2, count)))
    result[mirrored] = result[mirrored].flip(3)
    return result


def prepared(images):
    return torch.from_numpy(np.ascontiguousarray(images)).float().div_(255).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def accuracy(network, images, labels):
    network.eval()
    right = [network(prepared(part)).argmax(1).numpy() for part in np.array_split(images, max(1, len(images) // 500))]
    return np.mean(np.concatenate(right) == labels)


def train(network, images, labels, options):
    place = np.arange(len(images)) % (len(images) // 10)
    held = place >= len(images) // 10 - VALIDATION
    x, y, validation = images[~held], torch.from_numpy(labels[~held].astype(np.int64)), (images[held], labels[held])

    steps = len(x) // options.batch
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim == 1]
    groups = [{"params": decayed, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.SGD(groups, lr=options.rate, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, options.rate, total_steps=steps * options.epochs + 1, pct_start=0.2, anneal_strategy="linear", cycle_momentum=False
    )
    first, checkpoint = 0, options.out.with_suffix(".checkpoint")
    if checkpoint.exists():
        state = torch.load(checkpoint)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first = state["epoch"]
    for epoch in range(first, options.epochs):
        rng, start = np.random.default_rng([options.seed, epoch]), time.time()
        torch.manual_seed(options.seed * 1000 + epoch)
        network.train()
        order, total = rng.permutation(len(x)), 0.0
        for step in range(steps):
            chosen = order[step * options.batch : (step + 1) * options.batch]
            loss = F.cross_entropy(network(augmented(prepared(x[chosen]), rng)), y[chosen], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict()}
        torch.save(state | {"epoch": epoch + 1}, checkpoint.with_suffix(".partial"))
        checkpoint.with_suffix(".partial").replace(checkpoint)
        share = 100 * accuracy(network, *validation)
        print(f"epoch {epoch + 1}: loss {total / steps:.3f}, {share:.2f} % of the validation images, {time.time() - start:.0f} s", flush=True)


def export(network):
    """The network as quantising exporters write it: weights in bytes behind DequantizeLinear, batch normalisations, clips."""
    nodes, tensors = [], {}

    def node(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def tensor(name, value, kind=np.float32):
        tensors[name] = np.asarray(value.detach() if isinstance(value, torch.Tensor) else value, kind)
        return name

    x, ends = "input", [tensor("least", np.array(0.0)), tensor("most", np.array(END))]
    for index, (size, stride, padding, _, _, bits) in enumerate(CONVOLUTIONS):
        layer, norm = f"conv{index + 1}", network.norms[index]
        weights = network.convolutions[index].weight
        steps = scales(weights, bits)
        integers = [tensor(f"{layer}.weight", (weights / steps).round(), np.int8), tensor(f"{layer}.scale", steps.flatten())]
        weights = node("DequantizeLinear", integers, f"{layer}.weights", axis=0)
        x = node("Conv", [x, weights], layer, kernel_shape=[size] * 2, strides=[stride] * 2, pads=[padding] * 4)
        values = {"weight": norm.weight, "bias": norm.bias, "mean": norm.running_mean, "var": norm.running_var}
        norms = [tensor(f"norm{index + 1}.{name}", value) for name, value in values.items()]
        x = node("BatchNormalization", [x, *norms], f"norm{index + 1}", epsilon=EPSILON)
        x = node("Clip", [x, *ends], f"clip{index + 1}")
    x = node("Flatten", [node("GlobalAveragePool", [x], "average")], "flat")
    node("Gemm", [x, tensor("scores.weight", network.scores.weight), tensor("scores.bias", network.scores.bias)], "output", transB=1)
    graph = helper.make_graph(
        nodes,
        "cifar10",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 32, 32])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    model = helper.make_model(graph, producer_name="cifar10.py", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of train.tar.xz and test.tar.xz")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the ONNX file to write")
    parser.add_argument("--pictures", type=pathlib.Path, help="folder for the pictures and labels as IDX files")
    parser.add_argument("--epochs", type=int, default=26)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=0.2, help="greatest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    images, labels = read(options.data / "train.tar.xz")
    test_images, test_labels = read(options.data / "test.tar.xz")
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
        for name, pictures, classes in [("train", images, labels), ("test", test_images, test_labels)]:
            # The first of them are to have all classes.
            order = np.random.default_rng(0).permutation(len(pictures))
            write_idx(options.pictures / f"{name}-images.idx", pictures[order])
            write_idx(options.pictures / f"{name}-labels.idx", classes[order])

    torch.manual_seed(options.seed)
    network = Network().to(memory_format=torch.channels_last)
    train(network, images, labels, options)
    print(f"{100 * accuracy(network, test_images, test_labels):.2f} % of the test images")
    onnx.save(export(network), options.out)


if __name__ == "__main__":
    main()
