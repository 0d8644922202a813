"""Neural networks on encrypted data.

A client encrypts pictures, a server evaluates a network on what it cannot read, and the client decrypts the scores::

    import bnn_tfhe as bnn

    model = bnn.Model.from_onnx("cnn.onnx", calibration=x_train[:1000])
    client = bnn.Client(model.client_specification())
    server = bnn.Server(model, client.cloud_key())
    scores = client.decrypt(server.infer(client.encrypt(x_test[:16])))

Pictures are arrays of ``uint8``, 0 for black to 255; no other dtype is taken. Scores are arrays of ``float64``. What travels between
the two sides has ``to_bytes`` and ``from_bytes``, ``save`` and ``load``, and is pickled; a secret key is not.

Long calls release the interpreter's lock, take a ``progress`` callback, and stop at Ctrl-C. :class:`Error` and its subclasses say whose
fault it is.
"""

from ._errors import Error, InputError, MachineError, PeerError, ServiceError
from ._native import (
    Circuit,
    Client,
    ClientSpecification,
    CloudKey,
    EncryptedBits,
    EncryptedImage,
    EncryptedScores,
    Evaluator,
    Model,
    SecretKey,
    Server,
    set_threads,
    shipped_models,
    threads,
)
from ._service import Job, ServedEngine, ServedModel, Service, StoredKey, connect
from ._types import Estimate, Imported, LayerEstimate

__all__ = [
    "Circuit",
    "Client",
    "ClientSpecification",
    "CloudKey",
    "EncryptedBits",
    "EncryptedImage",
    "EncryptedScores",
    "Error",
    "Estimate",
    "Evaluator",
    "Imported",
    "InputError",
    "Job",
    "LayerEstimate",
    "MachineError",
    "Model",
    "PeerError",
    "SecretKey",
    "ServedEngine",
    "ServedModel",
    "Server",
    "Service",
    "ServiceError",
    "StoredKey",
    "connect",
    "set_threads",
    "shipped_models",
    "threads",
]
