"""The service on a cluster: an application of Ray Serve with the HTTP API of `bnn serve`, which docs/service.md describes.

Three deployments make it: :class:`~._ingress.Ingress` speaks HTTP, :class:`~._evaluators.Evaluators` evaluate, each for the keys that it
holds, and :class:`~._jobs.JobKeeper` knows how far the jobs are. Ray Serve starts each of them anew where it is lost.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray.serve
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import LoggingConfig

from .._errors import InputError
from .._native import Model, shipped_models
from ._access import Tokens
from ._evaluators import Evaluators
from ._ingress import Ingress, Settings
from ._jobs import JobKeeper

# Requests that a replica has in hand without computing anything: those that wait for a job, above all.
_MANY = 1000
# Seconds that an evaluation in hand may take when its replica is told to end, as at an update.
_PARTING = 30.0


def app(
    storage: str,
    *,
    models: Sequence[str | Model] | None = None,
    evaluators: int | tuple[int, int] = 1,
    cpus: int = 1,
    ingresses: int = 1,
    queue: int = 256,
    tokens: str | os.PathLike[str] | None = None,
    page: str | None = None,
    allowed_origins: Sequence[str] = (),
) -> ray.serve.Application:
    """The application, to be run by :func:`serve`, ``ray.serve.run`` or a file of Ray Serve (with :func:`build`).

    ``storage`` is a folder that all machines share, as an absolute path or an address such as ``s3://bucket/folder``: it holds cloud keys,
    jobs and results. ``models`` are names of models that ship, folders of models, or :class:`Model`; all that ship, if they are not given.
    Each of ``evaluators`` replicas has ``cpus`` threads; a range has Ray Serve start and stop them as there is work. ``queue`` is how many
    images may wait for them; who comes then is answered 429. ``tokens`` is a file that `bnn token add` wrote; without it the service
    answers only to names of its own machine. ``page`` is a folder with the page and the client for browsers, which is there on all machines.
    ``allowed_origins`` are sites whose pages may ask.
    """
    if cpus < 1 or queue < 1 or ingresses < 1:
        raise InputError("at least one processor, one ingress and a queue of one image are needed")
    document = None if tokens is None else Path(tokens).read_bytes()
    if document is not None and not Tokens(document):
        raise InputError(f"{os.fspath(tokens or '')}: no tokens; `bnn token add` makes one")
    files = {model.name: model.to_bytes() for model in _models(models)}
    least, most = (evaluators, evaluators) if isinstance(evaluators, int) else evaluators
    replicas: dict[str, Any] = {"num_replicas": least}
    if least != most:
        replicas = {"autoscaling_config": {"min_replicas": least, "max_replicas": most, "target_ongoing_requests": cpus}}
    evaluating = _deployment(Evaluators).options(
        ray_actor_options={"num_cpus": cpus},
        # One more than there are threads, so that none of them waits for the next image.
        max_ongoing_requests=cpus + 1,
        max_queued_requests=queue,
        graceful_shutdown_timeout_s=_PARTING,
        logging_config=LoggingConfig(enable_access_log=False),
        **replicas,
    ).bind(storage, files, cpus)
    keeping = _deployment(JobKeeper).options(
        num_replicas=1, ray_actor_options={"num_cpus": 0}, max_ongoing_requests=10 * _MANY
    ).bind(storage, evaluating, queue)
    settings = Settings(storage, files, document, page, tuple(allowed_origins))
    application: ray.serve.Application = _deployment(Ingress).options(
        num_replicas=ingresses, ray_actor_options={"num_cpus": 0}, max_ongoing_requests=_MANY
    ).bind(settings, keeping, evaluating)
    return application


def build(arguments: dict[str, Any]) -> ray.serve.Application:
    """:func:`app` with its arguments from a file of Ray Serve: ``import_path: bnn_tfhe.ray:build``."""
    return app(**arguments)


def serve(
    storage: str, *, host: str = "127.0.0.1", port: int = 8000, blocking: bool = True, **settings: Any
) -> DeploymentHandle[Any]:
    """Runs the application on the cluster of ``ray.init``, and ends at Ctrl-C; with ``blocking=False`` it returns when it is ready.

    The other arguments are those of :func:`app`. Beyond this machine it listens with tokens only.
    """
    if settings.get("tokens") is None and host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise InputError(f"on {host} everyone in the network could ask: tokens are needed there")
    application = app(storage, **settings)
    ray.serve.start(http_options={"host": host, "port": port})
    return ray.serve.run(application, name="bnn", blocking=blocking)


def _deployment(decorated: Any) -> ray.serve.Deployment:
    """What Ray's decorator makes of a class, which its types do not say."""
    assert isinstance(decorated, ray.serve.Deployment)
    return decorated


def _models(models: Sequence[str | Model] | None) -> list[Model]:
    names = shipped_models()
    found = []
    for model in names if models is None else models:
        if isinstance(model, Model):
            found.append(model)
        else:
            found.append(Model.shipped(model) if model in names else Model.load(model))
    return found
