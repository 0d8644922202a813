"""The one replica that knows how far all jobs are. What it knows is in the storage too: where it ends, Ray Serve starts it anew, and the jobs go on."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any

from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from .._service import Job
from ._evaluators import KeyName, Step
from ._storage import JobRecord, Jobs, Storage

# Jobs that an owner has at a time, those that have ended among them.
MOST_JOBS = 10_000
# Seconds for which results are kept, and between two looks at them.
_KEPT = 7 * 24 * 3600.0
_SWEEPING = 3600.0
# The first pause before a job whose worker was lost is run again, and the longest.
_SHORTEST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0

_log = logging.getLogger("ray.serve")


@dataclass
class _Live:
    """A job, with what is known while it runs."""

    record: JobRecord
    step: Step | None = None
    since: float = 0.0
    task: asyncio.Task[None] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def view(self, job_id: str) -> Job:
        view = self.record.view(job_id)
        if self.record.ended is None and self.step is not None:
            view["state"] = "running"
            view["bootstraps"] = self.step.done
            view["total"] = self.step.total or self.record.total
            if self.step.done > 0:
                speed = self.step.done / (time.monotonic() - self.since)
                view["seconds_left"] = (self.step.total - self.step.done) / speed
        return view


@serve.deployment
class JobKeeper:
    """Takes jobs, has them run, and tells how far they are."""

    # An awaited constructor, so that the jobs that had not ended go on as soon as there is a loop to run them.
    async def __init__(self, storage: str, evaluators: DeploymentHandle[Any], at_a_time: int) -> None:  # type: ignore[misc]
        self._stored = Jobs(Storage(storage))
        self._evaluators = evaluators
        # No more of them are handed to Ray Serve than its queue takes.
        self._room = asyncio.Semaphore(at_a_time)
        self._jobs: dict[tuple[str, str], _Live] = {}
        for name, record in (await asyncio.to_thread(self._stored.all)).items():
            self._jobs[name] = live = _Live(record)
            if record.ended is None:
                self._start(name, live)
            else:
                live.ended.set()
        self._sweeper = asyncio.create_task(self._sweep())

    async def submit(self, owner: str, job_id: str, record: JobRecord, image: bytes) -> tuple[bool, Job] | None:
        """Takes a job, and says whether it is new; none where its owner has too many."""
        name = (owner, job_id)
        if name in self._jobs:
            return False, self._jobs[name].view(job_id)
        if sum(of == owner for of, _ in self._jobs) >= MOST_JOBS:
            return None
        self._jobs[name] = live = _Live(record)
        try:
            await asyncio.to_thread(self._stored.add, owner, job_id, record, image)
        except BaseException:
            del self._jobs[name]
            raise
        self._start(name, live)
        return True, live.view(job_id)

    async def describe(self, owner: str, job_id: str, wait: float = 0.0) -> Job | None:
        """How far a job is, when it ends or after so many seconds."""
        live = self._jobs.get((owner, job_id))
        if live is None:
            return None
        if wait > 0:
            try:
                await asyncio.wait_for(live.ended.wait(), wait)
            except asyncio.TimeoutError:
                pass
            if self._jobs.get((owner, job_id)) is not live:
                return None
        return live.view(job_id)

    async def list(self, owner: str) -> list[Job]:
        """The jobs of an owner."""
        return [live.view(job_id) for (of, job_id), live in self._jobs.items() if of == owner]

    async def bytes_of(self, owner: str) -> int:
        """Bytes of the images of an owner's jobs."""
        return sum(live.record.bytes for (of, _), live in self._jobs.items() if of == owner)

    async def delete(self, owner: str, job_id: str) -> bool:
        """Cancels a job and forgets it, and says whether it was there."""
        live = self._jobs.pop((owner, job_id), None)
        if live is None:
            return False
        if live.task is not None:
            live.task.cancel()
        live.ended.set()
        await asyncio.to_thread(self._stored.delete, owner, job_id)
        return True

    async def delete_of_key(self, owner: str, key_id: str) -> None:
        """The same for all jobs of a key."""
        names = [name for name, live in self._jobs.items() if name[0] == owner and live.record.key == key_id]
        for _, job_id in names:
            await self.delete(owner, job_id)

    def _start(self, name: tuple[str, str], live: _Live) -> None:
        live.task = asyncio.create_task(self._run(name, live))

    async def _run(self, name: tuple[str, str], live: _Live) -> None:
        owner, job_id = name
        scores, error, pause = None, None, _SHORTEST_PAUSE
        async with self._room:
            while scores is None and error is None:
                try:
                    step = await self._evaluate(name, live)
                    scores, error = step.scores, step.error
                except RayTaskError as failure:
                    _log.error("a job failed by a fault of the service: %s", failure)
                    error = "the service failed; its log says why"
                except (RayError, RayServeException) as lost:
                    # The replica is gone, or there is none yet: Ray Serve starts another.
                    _log.warning("a job is run again: %s", lost)
                    live.step = None
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
        await self._end(name, live, scores, error)

    async def _evaluate(self, name: tuple[str, str], live: _Live) -> Step:
        record = live.record
        key = KeyName(name[0], record.key, record.key_sha256)
        handle = self._evaluators.options(stream=True, multiplexed_model_id=str(key))
        steps: Any = handle.run_job.remote(*name, record.digest)
        try:
            step: Step
            async for step in steps:
                if live.step is None:
                    live.since = time.monotonic()
                live.step = step
                if step.scores is not None or step.error is not None:
                    return step
        except asyncio.CancelledError:
            steps.cancel()
            raise
        return Step(error="the evaluation ended without scores")

    async def _end(self, name: tuple[str, str], live: _Live, scores: bytes | None, error: str | None) -> None:
        owner, job_id = name
        live.record.error = error
        live.record.ended = time.time()
        pause = _SHORTEST_PAUSE
        while True:
            try:
                if scores is not None:
                    await asyncio.to_thread(self._stored.put_scores, owner, job_id, scores)
                await asyncio.to_thread(self._stored.put, owner, job_id, live.record)
                break
            except OSError as failure:
                # Where a disk is full there may be room later.
                _log.error("a result is not stored yet: %s", failure)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        live.ended.set()

    async def _sweep(self) -> None:
        """Forgets results that nobody fetched for long."""
        while True:
            now = time.time()
            old = [name for name, live in self._jobs.items() if now - (live.record.ended or now) > _KEPT]
            for name in old:
                await self.delete(*name)
            await asyncio.sleep(_SWEEPING)
