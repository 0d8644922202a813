"""Encrypted inference on several machines, with Ray: the extra ``ray`` of this package.

* :func:`evaluate_dataset` evaluates a model on a dataset of encrypted images (Ray Data);
* :func:`serve` and :func:`app` are a service with the HTTP API of `bnn serve` (Ray Serve).

Both run on one machine after ``ray.init()``, and on a cluster after ``ray.init(address)``. docs/cluster.md shows both.
"""

from ._application import app, build, serve
from ._dataset import evaluate_dataset

__all__ = ["app", "build", "evaluate_dataset", "serve"]
