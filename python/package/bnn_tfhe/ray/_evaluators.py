"""The replicas that evaluate: each holds the expanded cloud keys of some clients, and Ray Serve sends requests of a key to those that hold it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from ray import serve

from .._errors import InputError, PeerError
from .._native import CloudKey, EncryptedImage, Evaluator, Model, Server, set_threads
from ._storage import Jobs, Keys, Storage

# Expanded keys that a replica holds at a time: 86 MB each.
KEYS_AT_A_TIME = 8
# Seconds between two words about a job.
_TELLING = 1.0


@dataclass(frozen=True)
class KeyName:
    """A cloud key of a client. With the digest of its bytes: a key that was deleted and sent anew may be another one."""

    owner: str
    key_id: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.owner}/{self.key_id}/{self.sha256}"

    @classmethod
    def parse(cls, text: str) -> KeyName:
        """What :meth:`__str__` gave."""
        return cls(*text.split("/"))


@dataclass(frozen=True)
class Step:
    """How far an evaluation is: bootstraps done and all, and at its end the scores, or a line that says why there are none."""

    done: int = 0
    total: int = 0
    scores: bytes | None = None
    error: str | None = None


class _Stopped(Exception):
    """Nobody waits for an evaluation any more."""


@dataclass
class _Run:
    """An evaluation in hand: what its thread tells, and what it is told."""

    done: int = 0
    total: int = 0
    is_stopped: bool = False

    def progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self.is_stopped:
            raise _Stopped


@dataclass
class _Held:
    """An expanded key, with the models that were made ready for it."""

    evaluator: Evaluator
    servers: dict[str, Server] = field(default_factory=dict)


@serve.deployment
class Evaluators:
    """Evaluates models on encrypted images."""

    def __init__(self, storage: str, models: dict[str, tuple[bytes, bytes]], cpus: int) -> None:
        set_threads(cpus)
        self._keys = Keys(Storage(storage))
        self._jobs = Jobs(Storage(storage))
        self._expansions = 0
        self._models = {model.digest: model for model in (Model.from_bytes(*files) for files in models.values())}

    @serve.multiplexed(max_num_models_per_replica=KEYS_AT_A_TIME)  # type: ignore[untyped-decorator]
    async def held(self, name: str) -> _Held:
        """A key, which is expanded when the first request for it comes."""
        return await asyncio.to_thread(self._expand, KeyName.parse(name))

    def _expand(self, name: KeyName) -> _Held:
        data = self._keys.read(name.owner, name.key_id)
        if data is None:
            raise InputError(f"the cloud key {name.key_id} was deleted")
        self._expansions += 1
        return _Held(Evaluator(CloudKey.from_bytes(data)))

    async def infer(self, digest: str, image: bytes) -> Step:
        """Evaluates a model on an image for which a client waits."""
        step = Step()
        async for step in self._run(digest, image):
            pass
        return step

    async def expansions(self) -> tuple[str, int]:
        """Which replica this is, and how many keys it has expanded."""
        return serve.get_replica_context().replica_id.unique_id, self._expansions

    async def run_job(self, owner: str, job_id: str, digest: str) -> AsyncIterator[Step]:
        """Evaluates a model on the image of a job, and tells how far it is."""
        image = await asyncio.to_thread(self._jobs.image, owner, job_id)
        if image is None:
            yield Step(error="the image is not there any more")
            return
        async for step in self._run(digest, image):
            yield step

    async def _run(self, digest: str, image: bytes) -> AsyncIterator[Step]:
        run = _Run()
        try:
            yield Step()
            held = await self.held(serve.get_multiplexed_model_id())
            # In a thread, so that Ray can ask this replica how it is, and other images run beside this one.
            work = asyncio.ensure_future(asyncio.to_thread(self._evaluate, held, digest, image, run))
            # What becomes of it after whoever waited has gone is of no interest.
            work.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            while not work.done():
                await asyncio.wait({work}, timeout=_TELLING)
                yield Step(run.done, run.total)
            yield Step(run.total, run.total, scores=work.result())
        except (InputError, PeerError) as error:
            yield Step(error=str(error))
        finally:
            # Whoever waited may have gone.
            run.is_stopped = True

    def _evaluate(self, held: _Held, digest: str, data: bytes, run: _Run) -> bytes:
        image = EncryptedImage.from_bytes(data)
        server = held.servers.get(digest)
        if server is None:
            model = self._models.get(digest)
            if model is None:
                raise InputError("the model of this image is not served any more")
            server = held.servers.setdefault(digest, Server(model, held.evaluator))
        run.total = server.bootstraps
        return server.infer(image, progress=run.progress).to_bytes()
