"""The client of a service that speaks the HTTP API of docs/service.md: `bnn serve`, or the application of :mod:`bnn_tfhe.ray`.

Every request here may be sent twice without harm: a cloud key is compared with the one that is there, an evaluation has no effect but its
answer, and the same image is the same job. So a request whose answer is lost is sent again for a while, as is one that a busy service refuses.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import ipaddress
import json
import os
import queue
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import Any, TypeAlias, TypedDict, overload

from ._errors import InputError, PeerError, ServiceError
from ._native import ClientSpecification, CloudKey, EncryptedImage, EncryptedScores

_Path: TypeAlias = str | os.PathLike[str]
_Progress: TypeAlias = Callable[[int, int], object]

# Seconds for which a request that fails is sent again, and the same where the service has never answered: its address may be wrong.
_PATIENCE = 60.0
_FIRST_PATIENCE = 5.0
# The first pause between two requests, and the longest, unless the service asks for a longer one.
_SHORTEST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0
# Bytes of a part of a cloud key: what an interruption costs.
_PART_BYTES = 4 << 20
# Bootstraps that the service evaluates while the client waits on its connection, and seconds for which such an answer is waited for.
_MOST_WAITED = 200_000
_LONGEST_EVALUATION = 900.0
# Seconds after which the service tells how far a job is, at first and at most.
_SHORTEST_WAIT = 1
_LONGEST_WAIT = 8
# Seconds that the jobs of an interrupted call may take to be deleted.
_PARTING = 3.0
# More bytes than answers have, and characters that are quoted of them.
_MOST_JSON_BYTES = 4 << 20
_MOST_FILE_BYTES = 256 << 20
_MOST_QUOTED = 300
_MOST_TOKEN_BYTES = 4096
# The service is busy, or a proxy does not reach it: the same request may do better later.
_PASSING = (429, 502, 503, 504)


class ServedEngine(TypedDict):
    """How a service runs a model: ``parameters`` is the parameter set that keys are best made with."""

    engine: str
    parameters: str
    bootstraps: int | None


class ServedModel(TypedDict):
    """A model that a service has."""

    name: str
    digest: str
    description: str
    engines: list[ServedEngine]


class StoredKey(TypedDict):
    """A cloud key at a service, or as much as was received of one. ``sha256`` is that of its bytes, once it is complete."""

    id: str
    parameters: str | None
    bytes: int
    received: int
    complete: bool
    sha256: str | None


class Job(TypedDict):
    """An image that is to be evaluated, or was. ``state`` is ``queued``, ``running``, ``done`` or ``failed``."""

    id: str
    model: str
    key: str
    state: str
    bootstraps: int
    total: int | None
    layer: str | None
    seconds_left: float | None
    error: str | None


def connect(
    url: str,
    *,
    token: str | None = None,
    token_file: _Path | None = None,
    ca: _Path | None = None,
    timeout: float = 60.0,
) -> Service:
    """The service at an address such as ``https://example.org`` or ``http://127.0.0.1:8000``. Nothing is sent yet.

    The token is ``token``, else the line in ``token_file``, else that of the environment variable ``BNN_TOKEN``, if there is one. It is
    sent over ``https`` or to this machine only. ``ca`` is a file of certificates, in PEM, of a private authority; they are then the only
    ones that are trusted. ``timeout`` is for how many seconds nothing may come or go.

    Raises :class:`InputError` for an address that is none, a token that is none or would travel in the open, or a file of certificates that
    holds none; and :class:`OSError` where a file cannot be read.
    """
    address = _Address(url)
    secret: str | None
    if token is not None and token_file is not None:
        raise InputError("a token and a file of a token were given: one of them is enough")
    if token is not None:
        secret = _token(token, "the token")
    elif token_file is not None:
        with open(token_file, "rb") as file:
            secret = _token(file.read(_MOST_TOKEN_BYTES + 1).decode("utf-8", "replace"), os.fspath(token_file))
    else:
        # A variable that is empty is as good as none.
        text = os.environ.get("BNN_TOKEN")
        secret = _token(text, "$BNN_TOKEN") if text else None
    if secret is not None and address.is_open:
        raise InputError(f"others could read the token on its way to {address.host}: use https")
    try:
        context = ssl.create_default_context(cafile=None if ca is None else os.fspath(ca))
    except ssl.SSLError as error:
        raise InputError(f"{os.fspath(ca or '')}: no certificates in PEM: {error}") from error
    return Service(_Connection(address, secret, context, timeout))


class Service:
    """A service that evaluates models on encrypted images; made by :func:`connect`. It may be used by several threads."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def __repr__(self) -> str:
        return f"Service({self.url!r})"

    @property
    def url(self) -> str:
        """Where it is."""
        return self._connection.address.text

    def models(self) -> list[ServedModel]:
        """All models. Raises :class:`ServiceError`, as all methods here do."""
        models: list[ServedModel] = self._connection.json("GET", ["v2", "models"])["models"]
        return models

    def model(self, name: str) -> ServedModel:
        """The model of a name."""
        model: ServedModel = self._connection.json("GET", ["v2", "models", name])
        return model

    def client_specification(self, name: str) -> ClientSpecification:
        """What a client needs to know of a model. Raises :class:`PeerError` where it is damaged, or that of another model."""
        digest = self.model(name)["digest"]
        specification = ClientSpecification.from_bytes(self._connection.body("GET", ["v2", "models", name, "client"]))
        if specification.model_digest != digest:
            raise PeerError(f"{self.url}: the client specification of {name} is that of another model")
        return specification

    def upload(self, cloud_key: CloudKey, progress: _Progress | None = None) -> StoredKey:
        """Sends a cloud key, or what the service has not received of it, so that an upload that was interrupted goes on where it was.

        ``progress`` is called with the bytes that were received and all bytes. Raises :class:`ServiceError` where the service refuses the
        key, or has another one with this identity.
        """
        return _Upload(self._connection, cloud_key.id, cloud_key.to_bytes(), progress).run()

    def keys(self) -> list[StoredKey]:
        """The cloud keys of the token."""
        keys: list[StoredKey] = self._connection.json("GET", ["v2", "keys"])["keys"]
        return keys

    def forget(self, key_id: str) -> None:
        """Has a cloud key deleted, with its jobs. That it is not there is as good."""
        self._connection.delete(["v2", "keys", key_id])

    def jobs(self) -> list[Job]:
        """The jobs of the token."""
        jobs: list[Job] = self._connection.json("GET", ["v2", "jobs"])["jobs"]
        return jobs

    def cancel(self, job_id: str) -> None:
        """Has a job cancelled and deleted, with its result. That it is not there is as good."""
        self._connection.delete(["v2", "jobs", job_id])

    @overload
    def infer(
        self, name: str, images: EncryptedImage, *, at_a_time: int = 8, progress: _Progress | None = None
    ) -> EncryptedScores: ...
    @overload
    def infer(
        self, name: str, images: Sequence[EncryptedImage], *, at_a_time: int = 8, progress: _Progress | None = None
    ) -> list[EncryptedScores]: ...
    def infer(
        self,
        name: str,
        images: EncryptedImage | Sequence[EncryptedImage],
        *,
        at_a_time: int = 8,
        progress: _Progress | None = None,
    ) -> EncryptedScores | list[EncryptedScores]:
        """Has a model evaluated on an encrypted image, or on several, whose scores come in the order of the images.

        So many images are sent ``at_a_time`` that the service can share its threads among them. Models that take long are run as jobs,
        which are deleted when their scores have come, or when this call ends otherwise. ``progress`` is called with the number of images
        that are done and of all. The cloud key has to be at the service (:meth:`upload`).

        Raises :class:`ServiceError` where the service refuses an image, and :class:`PeerError` where scores are damaged.
        """
        if at_a_time < 1:
            raise InputError(f"{at_a_time} images at a time: at least 1 is needed")
        if isinstance(images, EncryptedImage):
            return _Evaluations(self._connection, self.model(name), progress).run([images], 1)[0]
        return _Evaluations(self._connection, self.model(name), progress).run(list(images), at_a_time) if images else []


class _Address:
    """Where a service is, and who can read what is sent there."""

    def __init__(self, text: str) -> None:
        examples = "expected an address such as https://example.org or http://127.0.0.1:8000"
        try:
            parts = urllib.parse.urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise InputError(f"{error}; {examples}") from error
        if "@" in parts.netloc:
            raise InputError("a password has no place in an address; a token goes in token, token_file or $BNN_TOKEN")
        # A character that is not printed would end the line of the request.
        if parts.scheme not in ("http", "https") or not host or not text.isprintable() or " " in text:
            raise InputError(examples)
        if "?" in text or "#" in text:
            raise InputError("an address ends before ? and #")
        self.text = text.rstrip("/")
        self.host = host
        self.is_local = _is_loopback(host)
        self.is_open = parts.scheme == "http" and not self.is_local

    def path(self, parts: Sequence[str]) -> str:
        """The address of a path, each part of which may hold any character."""
        return "/".join([self.text, *(urllib.parse.quote(part, safe="") for part in parts)])


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _token(text: str, origin: str) -> str:
    text = text.strip()
    if not text or len(text) > _MOST_TOKEN_BYTES or not all("!" <= character <= "~" for character in text):
        raise InputError(f"{origin}: a token is one line of visible ASCII characters")
    return text


class _Passing(Exception):
    """A request came to nothing, and may do better later, or after what the service asks for."""

    def __init__(self, error: ServiceError, after: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.after = after


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token is for one service, which is where it is said to be."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Connection:
    """The way to a service: requests, and which of them are sent again."""

    def __init__(self, address: _Address, token: str | None, context: ssl.SSLContext, timeout: float) -> None:
        self.address = address
        self._headers = {"User-Agent": "bnn-tfhe"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._timeout = timeout
        # What may be said on this machine may not be said to a proxy of the environment.
        proxy = urllib.request.ProxyHandler({} if address.is_local else None)
        self._opener = urllib.request.build_opener(proxy, _NoRedirect, urllib.request.HTTPSHandler(context=context))
        # Whether anything ever answered there, and when the service last did what it was asked for.
        self._is_known = False
        self._succeeded: float | None = None

    def json(
        self,
        method: str,
        path: Sequence[str],
        body: bytes | None = None,
        *,
        query: str = "",
        stop: threading.Event | None = None,
    ) -> Any:
        """What the service says."""
        return self._read_json(path, self.body(method, path, body, query=query, stop=stop))

    def body(
        self,
        method: str,
        path: Sequence[str],
        body: bytes | None = None,
        *,
        query: str = "",
        timeout: float | None = None,
        stop: threading.Event | None = None,
    ) -> bytes:
        """The body of an answer. The request is sent again while there is hope, and until it is told to stop."""
        start, count = time.monotonic(), 0
        while True:
            try:
                return self.ask_once(method, path, body, query=query, timeout=timeout)
            except _Passing as failure:
                # Who is served elsewhere in this process, if slowly, goes on waiting.
                since = start if self._succeeded is None else max(start, self._succeeded)
                self.pause(count, failure, since, stop)
                count += 1

    def delete(self, path: Sequence[str]) -> None:
        try:
            self.body("DELETE", path)
        except ServiceError as error:
            if error.status != 404:
                raise

    def pause(self, count: int, failure: _Passing, since: float, stop: threading.Event | None = None) -> None:
        """Waits after so many pauses before, or raises the failure where more was waited than it is worth."""
        pause = failure.after if failure.after is not None else min(_SHORTEST_PAUSE * 2 ** min(count, 16), _LONGEST_PAUSE)
        patience = _PATIENCE if self._is_known else _FIRST_PATIENCE
        if time.monotonic() - since + pause >= patience:
            raise failure.error
        if stop is None:
            time.sleep(pause)
        elif stop.wait(pause):
            raise failure.error

    def put_part(self, path: Sequence[str], body: bytes, headers: dict[str, str]) -> Any:
        """Sends a part of a cloud key once."""
        return self._read_json(path, self.ask_once("PUT", path, body, headers=headers))

    def ask_once(
        self,
        method: str,
        path: Sequence[str],
        body: bytes | None = None,
        *,
        headers: dict[str, str] | None = None,
        query: str = "",
        timeout: float | None = None,
    ) -> bytes:
        """Sends a request once. Raises :class:`_Passing` or a :class:`ServiceError`."""
        url = self.address.path(path)
        request = urllib.request.Request(url + query, data=body, headers=self._headers, method=method)
        if body is not None:
            request.add_header("Content-Type", "application/octet-stream")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        limit = _MOST_FILE_BYTES
        try:
            with self._opener.open(request, timeout=timeout or self._timeout) as response:
                answer: bytes = response.read(limit + 1)
                if response.length and len(answer) <= limit:
                    raise http.client.IncompleteRead(answer, response.length)
        except urllib.error.HTTPError as refusal:
            self._is_known = True
            with refusal:
                raise self._refusal(url, refusal) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._failure(url, error) from error
        if len(answer) > limit:
            raise ServiceError(f"{url}: an answer of more than {limit} bytes")
        self._is_known, self._succeeded = True, time.monotonic()
        return answer

    def _read_json(self, path: Sequence[str], answer: bytes) -> Any:
        try:
            if len(answer) > _MOST_JSON_BYTES:
                raise ValueError("too long")
            value = json.loads(answer)
            if not isinstance(value, dict):
                raise ValueError("no object")
            return value
        except ValueError as error:
            raise ServiceError(f"{self.address.path(path)}: no answer of such a service: {_line(str(error))}") from error

    def _refusal(self, url: str, refusal: urllib.error.HTTPError) -> Exception:
        """Why the service refuses, in its own words where it has any: a proxy between has none that help."""
        status = refusal.code
        try:
            line = _line(str(json.loads(refusal.read(_MOST_JSON_BYTES))["error"]))
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            line = _line(str(refusal.reason)) or "refused without a word"
        error = ServiceError(f"{url}: {line} (status {status})", status)
        if status not in _PASSING:
            return error
        after = refusal.headers.get("Retry-After", "")
        return _Passing(error, float(after) if after.isascii() and after.isdigit() else None)

    def _failure(self, url: str, error: Exception) -> Exception:
        """What it means that a request could not be sent, or its answer not be received."""
        cause = error.reason if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception) else error
        if isinstance(cause, TimeoutError):
            said = "silent for too long"
        else:
            said = _line(getattr(cause, "strerror", None) or str(cause)) or type(cause).__name__
        # Someone else's certificate, and bytes that are not TLS.
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ServiceError(f"{url}: the service is not to be trusted: {_line(cause.verify_message)}")
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
            return ServiceError(f"{url}: the service is not to be trusted: {said}")
        failure = ServiceError(f"{url}: no answer: {said}")
        # Nothing was ever there.
        if isinstance(cause, ConnectionRefusedError) and not self._is_known:
            return failure
        return _Passing(failure)


def _line(text: str) -> str:
    """The beginning of a text from elsewhere, as one line."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _MOST_QUOTED else line[:_MOST_QUOTED] + "..."


class _Upload:
    """A cloud key on its way to the service: in parts, so that an interruption costs one of them and not all."""

    def __init__(self, connection: _Connection, key_id: str, file: bytes, progress: _Progress | None) -> None:
        self._connection = connection
        self._path = ["v2", "keys", key_id]
        self._file = file
        self._progress = progress
        self._sha256 = hashlib.sha256(file)

    def run(self) -> StoredKey:
        key = self._known()
        received = self._received(key)
        # What was sent earlier may be of another file with the same identity.
        may_be_other = received > 0
        lost_since, lost_count = 0.0, 0
        digest = base64.b64encode(self._sha256.digest()).decode()
        while key is None or not key["complete"]:
            self._tell(received)
            end = min(received + _PART_BYTES, len(self._file))
            headers = {
                "Content-Range": f"bytes {received}-{end - 1}/{len(self._file)}",
                "Repr-Digest": f"sha-256=:{digest}:",
            }
            try:
                key = self._connection.put_part(self._path, self._file[received:end], headers)
            except ServiceError as error:
                if may_be_other and error.status == 400:
                    received, key, may_be_other = 0, None, False
                    continue
                # Another process may be sending the same key.
                if error.status != 409:
                    raise
                failure = _Passing(error)
            except _Passing as passing:
                failure = passing
            else:
                now = self._received(key)
                if not key["complete"] and now != end:
                    raise ServiceError(f"{self._url()}: {now} bytes received of {end} sent")
                received, lost_count = end, 0
                continue
            if lost_count == 0:
                lost_since = time.monotonic()
            self._connection.pause(lost_count, failure, lost_since)
            key = self._known()
            now = self._received(key)
            lost_count = lost_count + 1 if now <= received else 0
            received = now
        if key["sha256"] not in (None, self._sha256.hexdigest()):
            line = "another cloud key of this identity is there; forget it first"
            raise ServiceError(f"{self._url()}: {line}", http.client.CONFLICT)
        self._tell(len(self._file))
        return key

    def _known(self) -> StoredKey | None:
        """What the service has of the key, if anything."""
        try:
            key: StoredKey = self._connection.json("GET", self._path)
            return key
        except ServiceError as error:
            if error.status == 404:
                return None
            raise

    def _received(self, key: StoredKey | None) -> int:
        """How much of the file the service has received. Of a file of another length, nothing is of use."""
        if key is None or key["bytes"] != len(self._file):
            return 0
        # A service that claims to have all, and has not, is sent all again.
        return key["received"] if key["received"] < len(self._file) else 0

    def _tell(self, received: int) -> None:
        if self._progress is not None:
            self._progress(received, len(self._file))

    def _url(self) -> str:
        return self._connection.address.path(self._path)


class _Evaluations:
    """The images of one call."""

    def __init__(self, connection: _Connection, model: ServedModel, progress: _Progress | None) -> None:
        self._connection = connection
        self._model = model
        self._progress = progress
        self._stop = threading.Event()
        # Jobs that are at the service. Nobody else knows them, so that they are deleted when the call ends, however it does.
        self._jobs: set[str] = set()
        # Images that are on their way to become such jobs.
        self._sending: set[bytes] = set()

    def run(self, images: list[EncryptedImage], at_a_time: int) -> list[EncryptedScores]:
        # The same image twice is one evaluation.
        bodies = [image.to_bytes() for image in images]
        futures: dict[bytes, Future[EncryptedScores]] = {}
        todo: queue.SimpleQueue[tuple[Future[EncryptedScores], bytes, str]] = queue.SimpleQueue()
        for image, body in zip(images, bodies):
            if body not in futures:
                futures[body] = Future()
                todo.put((futures[body], body, image.parameters))
        for _ in range(min(at_a_time, len(futures))):
            # Threads of the standard pool would keep a process that is interrupted until their answers come.
            threading.Thread(target=self._work, args=(todo,), daemon=True, name="bnn-tfhe").start()
        try:
            ordered = [futures[body] for body in bodies]
            self._watch(ordered)
            return [future.result() for future in ordered]
        finally:
            self._stop.set()
            self._delete_jobs()

    def _watch(self, futures: list[Future[EncryptedScores]]) -> None:
        """Waits for all images, or for the first that fails, and tells how many are done."""
        waiting = set(futures)
        while waiting:
            ended, waiting = wait(waiting, timeout=0.1, return_when=FIRST_EXCEPTION)
            for future in ended:
                future.result()
            if ended and self._progress is not None:
                self._progress(sum(future.done() for future in futures), len(futures))

    def _work(self, todo: queue.SimpleQueue[tuple[Future[EncryptedScores], bytes, str]]) -> None:
        """Has one image after the other evaluated."""
        while not self._stop.is_set():
            try:
                future, body, parameters = todo.get_nowait()
            except queue.Empty:
                return
            try:
                future.set_result(self._one(body, parameters))
            except BaseException as error:
                future.set_exception(error)

    def _one(self, body: bytes, parameters: str) -> EncryptedScores:
        name, stop = self._model["name"], self._stop
        if self._is_short(parameters):
            path = ["v2", "models", name, "infer"]
            timeout = _LONGEST_EVALUATION
            return EncryptedScores.from_bytes(self._connection.body("POST", path, body, timeout=timeout, stop=stop))
        self._sending.add(body)
        try:
            job: Job = self._connection.json("POST", ["v2", "models", name, "jobs"], body, stop=stop)
            self._jobs.add(job["id"])
        finally:
            self._sending.discard(body)
        if stop.is_set():
            # It came when the call had ended.
            self._delete_jobs()
        self._await(job)
        path = ["v2", "jobs", job["id"]]
        scores = EncryptedScores.from_bytes(self._connection.body("GET", [*path, "result"], stop=stop))
        self._jobs.discard(job["id"])
        self._connection.delete(path)
        return scores

    def _is_short(self, parameters: str) -> bool:
        """Whether the service evaluates the model while the client waits on its connection."""
        for engine in self._model["engines"]:
            if engine["parameters"] == parameters:
                return engine["bootstraps"] is not None and engine["bootstraps"] <= _MOST_WAITED
        return False

    def _await(self, job: Job) -> None:
        seconds = _SHORTEST_WAIT
        path = ["v2", "jobs", job["id"]]
        while job["state"] != "done":
            if job["state"] == "failed":
                line = _line(job["error"] or "without a word")
                raise ServiceError(f"{self._connection.address.path(path)}: the job failed: {line}")
            asked = time.monotonic()
            job = self._connection.json("GET", path, query=f"?wait={seconds}", stop=self._stop)
            if job["state"] in ("queued", "running"):
                # A service that does not wait is not asked all the time.
                if self._stop.wait(max(0.0, asked + seconds - time.monotonic())):
                    raise ServiceError(f"{self._connection.address.path(path)}: the call has ended")
            seconds = min(2 * seconds, _LONGEST_WAIT)

    def _delete_jobs(self) -> None:
        until = time.monotonic() + _PARTING
        while (self._jobs or self._sending) and time.monotonic() < until:
            for job in list(self._jobs):
                try:
                    self._connection.ask_once("DELETE", ["v2", "jobs", job], timeout=2.0)
                except (ServiceError, _Passing):
                    pass
                self._jobs.discard(job)
            if self._sending:
                time.sleep(0.05)
