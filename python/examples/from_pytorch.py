"""From PyTorch to an encrypted answer: a small convolutional network is trained, exported, imported and run on ciphertexts.

    pip install torch onnx onnxscript        # and the wheel of this package
    python python/examples/from_pytorch.py --data FOLDER

Nothing here knows of encryption before the last line.
"""

import io

import numpy as np
import torch
from torch import nn

from common import arguments, digits, follow

options = arguments(__doc__)
x, labels, x_test, _ = digits(options)
torch.manual_seed(1)


def tensor(images: np.ndarray) -> torch.Tensor:
    """Pictures as the network reads them: channels first, from 0 for black to 1."""
    return torch.from_numpy(images.astype(np.float32)[:, None] / 255)


network = nn.Sequential(
    nn.Conv2d(1, 6, 5, stride=2, padding=2), nn.ReLU(),
    nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2),
    nn.Flatten(), nn.Linear(400, 64), nn.ReLU(), nn.Linear(64, 10),
)
optimiser = torch.optim.Adam(network.parameters(), 2e-3)
order = np.random.default_rng(1)
for epoch in range(options.epochs):
    network.train()
    for batch in np.array_split(order.permutation(len(x)), max(len(x) // 128, 1)):
        loss = nn.functional.cross_entropy(network(tensor(x[batch])), torch.from_numpy(labels[batch].astype(np.int64)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}")

network.eval()
with torch.no_grad():
    real = network(tensor(x_test)).argmax(-1).numpy()
file = io.BytesIO()
torch.onnx.export(network, (tensor(x[:1]),), file, dynamo=False)
follow(file.getvalue(), options, real)
