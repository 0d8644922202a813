"""The replicas that speak HTTP."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import importlib.metadata
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, RayServeException
from ray.serve.handle import DeploymentHandle
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from .._errors import InputError, PeerError
from .._native import CloudKey, EncryptedImage, Model
from .._service import ServedEngine, StoredKey
from ._access import Caller, Fault, Guard, Tokens
from ._evaluators import KeyName, Step
from ._jobs import MOST_JOBS
from ._storage import JobRecord, Jobs, Keys, Storage, is_full

# Parameter sets of 128 bits of security and more, by the engine that they are for.
_ENGINES = {"FUNCTIONAL_1024": "functional", "FUNCTIONAL_2048": "functional", "GATES_DEFAULT": "gates"}
# The most bootstraps of an evaluation for which a client waits on its connection: some minutes.
_MOST_WAITED = 200_000
# Bytes of an encrypted image, and of a cloud key, at most: many times those of any network here, and more than any parameter set has.
_MOST_IMAGE_BYTES = 8 << 20
_MOST_KEY_BYTES = 256 << 20
# Seconds that an image may take to come, and for which a request may wait for the end of a job.
_IMAGE_TIME = 60.0
_SILENCE = 30.0
_MOST_WAIT = 60
_BINARY = "application/octet-stream"

_log = logging.getLogger("ray.serve")
_Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Settings:
    """What the service is told when it is started."""

    storage: str
    models: dict[str, tuple[bytes, bytes]]
    tokens: bytes | None
    page: str | None
    allowed_origins: tuple[str, ...]


class Served:
    """A model, with what clients are told of it."""

    def __init__(self, model: Model) -> None:
        self.name = model.name
        self.digest = model.digest
        specification = model.client_specification()
        self.specification = specification.to_bytes()
        self.tag = f'"{hashlib.sha256(self.specification).hexdigest()}"'
        estimate = model.estimate()
        self.bootstraps: dict[str, int | None] = {}
        engines: dict[str, ServedEngine] = {}
        for parameters in specification.parameter_sets:
            engine = _ENGINES.get(parameters)
            if engine is None:
                continue
            # Those of the other engine are counted when a circuit is built for it.
            bootstraps = estimate["bootstraps"] if engine == estimate["engine"] else None
            self.bootstraps[parameters] = bootstraps
            engines.setdefault(engine, {"engine": engine, "parameters": parameters, "bootstraps": bootstraps})
        self.view = {
            "name": self.name,
            "versions": [self.digest],
            "platform": "bnn-tfhe",
            "inputs": [{"name": "image", "datatype": "BYTES", "shape": [1]}],
            "outputs": [{"name": "scores", "datatype": "BYTES", "shape": [1]}],
            "description": model.description,
            "digest": self.digest,
            "engines": list(engines.values()),
        }


@dataclass(frozen=True)
class Fitting:
    """An image that fits a model and a key that is there."""

    served: Served
    key: KeyName
    bootstraps: int | None
    image: bytes


@serve.deployment
@serve.ingress()
class Ingress:
    """The HTTP API: each request is checked here, and computed elsewhere."""

    def __init__(self, settings: Settings, jobs: DeploymentHandle[Any], evaluators: DeploymentHandle[Any]) -> None:
        self._settings = settings
        self._jobs = jobs
        self._evaluators = evaluators
        storage = Storage(settings.storage)
        self._keys = Keys(storage)
        self._results = Jobs(storage)
        self._tokens = Tokens(settings.tokens)
        models = (Model.from_bytes(*files) for files in settings.models.values())
        self._models = {model.name: Served(model) for model in models}

    def __serve_build_asgi_app__(self) -> Starlette:
        """What Ray Serve runs."""
        guard = Middleware(
            Guard, own_names_only=not self._tokens, allowed_origins=self._settings.allowed_origins
        )
        return Starlette(
            routes=self._routes(),
            middleware=[guard],
            exception_handlers={Fault: _fault, HTTPException: _http_exception, OSError: _os_error, Exception: _failure},
        )

    def _routes(self) -> list[BaseRoute]:
        api: list[tuple[str, str, _Handler]] = [
            ("GET", "/v2", self.about),
            ("GET", "/v2/health/live", self.live),
            ("GET", "/v2/health/ready", self.live),
            ("GET", "/v2/models", self.list_models),
            ("GET", "/v2/models/{name}", self.describe_model),
            ("GET", "/v2/models/{name}/ready", self.ready_model),
            ("GET", "/v2/models/{name}/client", self.client),
            ("POST", "/v2/models/{name}/infer", self.infer),
            ("POST", "/v2/models/{name}/jobs", self.submit),
            ("GET", "/v2/keys", self.list_keys),
            ("GET", "/v2/keys/{id}", self.describe_key),
            ("PUT", "/v2/keys/{id}", self.put_key),
            ("DELETE", "/v2/keys/{id}", self.delete_key),
            ("GET", "/v2/jobs", self.list_jobs),
            ("GET", "/v2/jobs/{id}", self.describe_job),
            ("DELETE", "/v2/jobs/{id}", self.delete_job),
            ("GET", "/v2/jobs/{id}/result", self.result),
        ]
        by_path: dict[str, dict[str, _Handler]] = {}
        for method, path, handler in api:
            by_path.setdefault(path, {})[method] = handler
        routes: list[BaseRoute] = [
            Route(path, _by_method(handlers), methods=list(handlers)) for path, handlers in by_path.items()
        ]
        if self._settings.page is not None:
            folder = Path(self._settings.page)
            # The files of a checkout are links.
            page, digits = (StaticFiles(directory=(folder / name).resolve(), html=True) for name in ("page", "digits"))
            for name in ("client.js", "client.wasm"):
                routes.append(Route(f"/{name}", _file((folder / name).resolve())))
            routes += [Mount("/digits", digits), Mount("/", page)]
        return routes

    # What is served.

    async def about(self, _: Request) -> Response:
        version = importlib.metadata.version("bnn-tfhe")
        return JSONResponse({"name": "bnn", "version": version, "extensions": ["client", "keys", "jobs"]})

    async def live(self, _: Request) -> Response:
        return Response()

    async def list_models(self, request: Request) -> Response:
        self._caller(request)
        return JSONResponse({"models": [served.view for served in self._models.values()]})

    async def describe_model(self, request: Request) -> Response:
        self._caller(request)
        return JSONResponse(self._model(request).view)

    async def ready_model(self, request: Request) -> Response:
        self._caller(request)
        self._model(request)
        return Response()

    async def client(self, request: Request) -> Response:
        self._caller(request)
        served = self._model(request)
        headers = {"ETag": served.tag}
        if request.headers.get("if-none-match") == served.tag:
            return Response(status_code=304, headers=headers)
        return Response(served.specification, media_type="application/json", headers=headers)

    # Cloud keys.

    async def list_keys(self, request: Request) -> Response:
        caller = self._caller(request, "upload")
        return JSONResponse({"keys": await asyncio.to_thread(self._keys.list, caller.owner)})

    async def describe_key(self, request: Request) -> Response:
        caller = self._caller(request, "upload")
        key = await asyncio.to_thread(self._keys.get, caller.owner, _identity(request, "key"))
        if key is None:
            raise Fault(404, "there is no such key")
        return JSONResponse(key)

    async def put_key(self, request: Request) -> Response:
        caller = self._caller(request, "upload")
        if not re.fullmatch("[0-9a-f]{32}", request.path_params["id"]):
            raise Fault(400, "a key is named by its identity, 32 hexadecimal digits")
        first, end, total = _range(request)
        digest = _told_digest(request)
        body = await _body(request, _MOST_KEY_BYTES, None)
        if len(body) != end - first:
            raise Fault(400, f"the body ended at byte {first + len(body)} of {end}")
        upload = _Upload(self._keys, caller, request.path_params["id"], first, total, digest)
        status, key = await asyncio.to_thread(upload.receive, body)
        return JSONResponse(key, status)

    async def delete_key(self, request: Request) -> Response:
        caller = self._caller(request, "upload")
        key_id = _identity(request, "key")
        was_there = await asyncio.to_thread(self._keys.delete, caller.owner, key_id)
        await self._jobs.delete_of_key.remote(caller.owner, key_id)
        if not was_there:
            raise Fault(404, "there is no such key")
        return Response(status_code=204)

    # Evaluations.

    async def infer(self, request: Request) -> Response:
        fitting = await self._fitting(request, self._caller(request, "infer"))
        if fitting.bootstraps is not None and fitting.bootstraps > _MOST_WAITED:
            path = f"/v2/models/{fitting.served.name}/jobs"
            raise Fault(422, f"{fitting.bootstraps} bootstraps take too long to wait for: POST the image to {path}")
        # Requests of one key go to a replica that holds it.
        handle = self._evaluators.options(multiplexed_model_id=str(fitting.key))
        step: Step = await handle.infer.remote(fitting.served.digest, fitting.image)
        if step.scores is None:
            raise Fault(422, step.error or "there are no scores")
        return Response(step.scores, media_type=_BINARY)

    async def submit(self, request: Request) -> Response:
        caller = self._caller(request, "infer")
        fitting = await self._fitting(request, caller)
        # The same image is the same job, so that a request can be sent again.
        name = hashlib.sha256(bytes.fromhex(fitting.served.digest) + fitting.image).hexdigest()[:32]
        stored = sum(key["bytes"] for key in await asyncio.to_thread(self._keys.list, caller.owner))
        if stored + await self._jobs.bytes_of.remote(caller.owner) + len(fitting.image) > caller.most_bytes:
            raise _over_bytes(caller)
        record = JobRecord(
            model=fitting.served.name,
            digest=fitting.served.digest,
            key=fitting.key.key_id,
            key_sha256=fitting.key.sha256,
            total=fitting.bootstraps,
            bytes=len(fitting.image),
        )
        submitted = await self._jobs.submit.remote(caller.owner, name, record, fitting.image)
        if submitted is None:
            raise Fault(403, f"this token has {MOST_JOBS} jobs, which is all that it may have: delete some")
        is_new, job = submitted
        return JSONResponse(job, 202 if is_new else 200, {"Location": f"/v2/jobs/{name}"})

    async def list_jobs(self, request: Request) -> Response:
        caller = self._caller(request, "infer")
        return JSONResponse({"jobs": await self._jobs.list.remote(caller.owner)})

    async def describe_job(self, request: Request) -> Response:
        caller = self._caller(request, "infer")
        text = request.query_params.get("wait", "0")
        if not (text.isascii() and text.isdigit()):
            raise Fault(400, "wait is a number of seconds")
        wait = min(int(text[:9]), _MOST_WAIT)
        job = await self._jobs.describe.remote(caller.owner, _identity(request, "job"), wait)
        if job is None:
            raise Fault(404, "there is no such job")
        return JSONResponse(job)

    async def result(self, request: Request) -> Response:
        caller = self._caller(request, "infer")
        job_id = _identity(request, "job")
        job = await self._jobs.describe.remote(caller.owner, job_id)
        if job is None:
            raise Fault(404, "there is no such job")
        if job["state"] == "failed":
            raise Fault(409, f"the job failed: {job['error']}")
        if job["state"] != "done":
            raise Fault(409, "the job has not ended")
        scores = await asyncio.to_thread(self._results.scores, caller.owner, job_id)
        if scores is None:
            raise Fault(404, "there is no such job")
        return Response(scores, media_type=_BINARY)

    async def delete_job(self, request: Request) -> Response:
        caller = self._caller(request, "infer")
        if not await self._jobs.delete.remote(caller.owner, _identity(request, "job")):
            raise Fault(404, "there is no such job")
        return Response(status_code=204)

    def _caller(self, request: Request, scope: str | None = None) -> Caller:
        caller = self._tokens.caller(request.headers)
        if scope is not None:
            caller.needs(scope)
        return caller

    def _model(self, request: Request) -> Served:
        served = self._models.get(request.path_params["name"])
        if served is None:
            raise Fault(404, "there is no such model")
        return served

    async def _fitting(self, request: Request, caller: Caller) -> Fitting:
        """Reads an image, and refuses what cannot be evaluated, before any work."""
        body = await _body(request, _MOST_IMAGE_BYTES, _IMAGE_TIME)
        served = self._model(request)
        try:
            image = EncryptedImage.from_bytes(body)
        except (InputError, PeerError) as error:
            raise Fault(400, str(error)) from None
        if image.model_digest != served.digest:
            raise Fault(422, f"this image was encrypted for another model than {served.name}")
        if image.parameters not in served.bootstraps:
            raise Fault(
                422, f"the model {served.name} is not run under the parameter set {image.parameters} here"
            )
        key = await asyncio.to_thread(self._keys.get, caller.owner, image.key_id)
        if key is None or not key["complete"]:
            raise Fault(
                422, f"the cloud key {image.key_id}, under which this image is encrypted, was not uploaded"
            )
        if key["parameters"] != image.parameters:
            raise Fault(
                422, f"the cloud key {image.key_id} is not of the image's parameter set {image.parameters}"
            )
        name = KeyName(caller.owner, image.key_id, key["sha256"] or "")
        return Fitting(served, name, served.bootstraps[image.parameters], body)


class _Upload:
    """A cloud key that comes whole, or a part of one."""

    def __init__(
        self, keys: Keys, caller: Caller, key_id: str, first: int, total: int, digest: bytes | None
    ) -> None:
        self._keys = keys
        self._caller = caller
        self._id = key_id
        self._first = first
        self._total = total
        self._digest = digest

    def receive(self, part: bytes) -> tuple[int, StoredKey]:
        """Keeps a part, and the key as a whole when it is."""
        owner = self._caller.owner
        known = self._keys.get(owner, self._id)
        if known is not None and known["complete"]:
            return 200, self._compare(known, part)
        if known is not None and known["received"] == known["bytes"] == self._total:
            # A process ended between its last byte and the look at the whole.
            return 201, self._finish(self._keys.parts(owner, self._id))
        if self._first == 0:
            self._check_quota()
            self._keys.begin(owner, self._id)
        elif known is None:
            raise Fault(409, "nothing of this key was received: begin at its first byte")
        elif known["received"] != self._first or known["bytes"] != self._total:
            raise Fault(
                409,
                f"this part begins at byte {self._first}, where {known['received']} of {known['bytes']} were received",
                key=known,
            )
        if len(part) == self._total:
            return 201, self._finish(part)
        self._keys.add_part(owner, self._id, self._first, self._total, part)
        if self._first + len(part) == self._total:
            return 201, self._finish(self._keys.parts(owner, self._id))
        received = self._keys.get(owner, self._id)
        if received is None:
            raise Fault(409, "the key was deleted while it came")
        return 202, received

    def _check_quota(self) -> None:
        others = [key for key in self._keys.list(self._caller.owner) if key["id"] != self._id]
        if len(others) >= self._caller.most_keys:
            line = f"this token has {len(others)} cloud keys, which is all that it may have: delete one"
            raise Fault(403, line)
        if sum(key["bytes"] for key in others) + self._total > self._caller.most_bytes:
            raise _over_bytes(self._caller)

    def _finish(self, data: bytes) -> StoredKey:
        """Reads the key as a whole, which it is from then on; what is no key is forgotten."""
        try:
            digest = hashlib.sha256(data)
            if self._digest is not None and digest.digest() != self._digest:
                raise Fault(400, "the bytes that came do not have the digest of Repr-Digest; nothing was kept")
            try:
                key = CloudKey.from_bytes(data)
            except (InputError, PeerError) as error:
                raise Fault(400, str(error)) from None
            if key.id != self._id:
                raise Fault(400, f"this is the cloud key {key.id}, which was sent as {self._id}")
            if key.parameters not in _ENGINES:
                raise Fault(
                    422,
                    f"a key of {key.parameters}, which is below 128 bits of security or for no engine: it is not taken",
                )
        except Fault:
            self._keys.delete(self._caller.owner, self._id)
            raise
        record: StoredKey = {
            "id": self._id,
            "parameters": key.parameters,
            "bytes": len(data),
            "received": len(data),
            "complete": True,
            "sha256": digest.hexdigest(),
        }
        self._keys.finish(self._caller.owner, record, data)
        return record

    def _compare(self, known: StoredKey, part: bytes) -> StoredKey:
        """The key that is there, which must be the one that is sent."""
        if self._digest is not None:
            is_same = known["sha256"] == self._digest.hex()
        else:
            data = self._keys.read(self._caller.owner, self._id) or b""
            is_same = data[self._first : self._first + len(part)] == part
        if known["bytes"] != self._total or not is_same:
            raise Fault(409, "another cloud key of this identity is there: delete it first")
        return known


def _over_bytes(caller: Caller) -> Fault:
    return Fault(403, f"with this the token would store more than its {caller.most_bytes} bytes: delete jobs or keys")


def _identity(request: Request, what: str) -> str:
    text: str = request.path_params["id"]
    if not re.fullmatch("[0-9a-f]{32}", text):
        raise Fault(404, f"there is no such {what}")
    return text


def _range(request: Request) -> tuple[int, int, int]:
    """The first byte of a part of a key, one behind its last, and how many the key has."""
    length = request.headers.get("content-length", "")
    text = request.headers.get("content-range")
    if not (length.isascii() and length.isdigit()):
        raise Fault(411, "a key is sent with its length")
    if text is None:
        first, end, total = 0, int(length), int(length)
    else:
        match = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", text)
        if match is None:
            raise Fault(400, "Content-Range is not: bytes FIRST-LAST/TOTAL")
        first, end, total = int(match[1]), int(match[2]) + 1, int(match[3])
        if not first < end <= total:
            raise Fault(400, "Content-Range is not: bytes FIRST-LAST/TOTAL")
        if int(length) != end - first:
            raise Fault(400, "Content-Length is not the length of Content-Range")
    if total > _MOST_KEY_BYTES:
        raise Fault(413, f"{total} bytes, where the longest cloud key has fewer than {_MOST_KEY_BYTES}")
    return first, end, total


def _told_digest(request: Request) -> bytes | None:
    """The digest of the whole key that a client tells, if it tells one."""
    text = request.headers.get("repr-digest")
    if text is None:
        return None
    match = re.search(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):\s*(?:$|,)", text)
    try:
        digest = base64.b64decode(match[1], validate=True) if match else b""
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise Fault(400, "Repr-Digest is not: sha-256=:BASE64:")
    return digest


async def _body(request: Request, most: int, seconds: float | None) -> bytes:
    """A body of a bounded length, which comes in a bounded time."""
    told = request.headers.get("content-length", "0")
    if not (told.isascii() and told.isdigit()) or int(told) > most:
        raise Fault(413, f"a body of no more than {most} bytes is read here")

    async def read() -> bytes:
        parts: list[bytes] = []
        length = 0
        stream = request.stream().__aiter__()
        while True:
            try:
                part = await asyncio.wait_for(stream.__anext__(), _SILENCE)
            except StopAsyncIteration:
                return b"".join(parts)
            parts.append(part)
            length += len(part)
            if length > most:
                raise Fault(413, f"a body of no more than {most} bytes is read here")

    try:
        return await asyncio.wait_for(read(), seconds)
    except asyncio.TimeoutError:
        raise Fault(408, "the body comes too slowly") from None
    except ClientDisconnect:
        raise Fault(400, "the body broke off") from None


def _by_method(handlers: dict[str, _Handler]) -> _Handler:
    """One function for all methods of a path, which also says what it means that Ray did not answer."""

    async def handle(request: Request) -> Response:
        handler = handlers.get(request.method) or handlers["GET"]
        try:
            return await handler(request)
        except BackPressureError:
            raise Fault(429, "too much is queued here; ask again later", after=5) from None
        except RayTaskError as error:
            raise error
        except (RayError, RayServeException) as lost:
            _log.warning("a replica was lost: %s", lost)
            raise Fault(503, "a part of the service is started anew; ask again in a while", after=1) from None

    return handle


def _file(path: Path) -> _Handler:
    async def handle(_: Request) -> Response:
        return FileResponse(path)

    return handle


async def _fault(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Fault)
    return fault.response()


async def _http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = {404: "there is no such page", 405: "this path does not take this method"}
    response = Fault(error.status_code, known.get(error.status_code, str(error.detail))).response()
    response.headers.update(error.headers or {})
    return response


async def _os_error(request: Request, error: Exception) -> Response:
    cause = getattr(error, "cause", error)
    if isinstance(cause, OSError) and is_full(cause):
        return Fault(507, "the service's disk is full").response()
    return await _failure(request, error)


async def _failure(_: Request, error: Exception) -> Response:
    _log.error("a request failed by a fault of the service", exc_info=error)
    return Fault(500, "the service failed; its log says why").response()
