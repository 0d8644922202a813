"""What the service keeps: cloud keys, jobs and results, as files in a folder that outlives every process and machine of the cluster.

The folder is a path on a disk that all machines share, or an address that pyarrow knows, such as ``s3://bucket/folder``. A file is written under
a name of its own and then renamed, so that it is never read half.
"""

from __future__ import annotations

import errno
import json
import os
import uuid
from dataclasses import dataclass
from typing import Any

import pyarrow.fs

from .._errors import InputError
from .._service import Job, StoredKey


class Storage:
    """Files in a folder, by names with slashes."""

    def __init__(self, folder: str) -> None:
        try:
            self._system, self._root = pyarrow.fs.FileSystem.from_uri(folder)
        except (ValueError, OSError) as error:
            raise InputError(f"{folder}: expected an absolute path, or an address such as s3://bucket/folder") from error
        if isinstance(self._system, pyarrow.fs.LocalFileSystem):
            # Nobody else on the machine may read what clients sent.
            os.makedirs(self._root, mode=0o700, exist_ok=True)

    def read(self, name: str) -> bytes | None:
        """A file; none where there is none."""
        try:
            with self._system.open_input_file(self._path(name)) as file:
                data: bytes = file.read()
                return data
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Writes a file, in the place of the one that was there."""
        path = self._path(name)
        temporary = f"{path}.{uuid.uuid4().hex}.tmp"
        self._system.create_dir(os.path.dirname(path), recursive=True)
        with self._system.open_output_stream(temporary) as file:
            file.write(data)
        self._system.move(temporary, path)

    def delete(self, folder: str) -> None:
        """Deletes a folder, if it is there."""
        try:
            self._system.delete_dir(self._path(folder))
        except FileNotFoundError:
            pass

    def delete_file(self, name: str) -> None:
        """Deletes a file, if it is there."""
        try:
            self._system.delete_file(self._path(name))
        except FileNotFoundError:
            pass

    def list(self, folder: str, *, recursive: bool = False) -> list[tuple[str, pyarrow.fs.FileInfo]]:
        """What is in a folder, by names below it, in their order."""
        root = self._path(folder)
        selector = pyarrow.fs.FileSelector(root, allow_not_found=True, recursive=recursive)
        found = [(info.path[len(root) + 1 :], info) for info in self._system.get_file_info(selector)]
        return sorted((name, info) for name, info in found if not name.endswith(".tmp"))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def is_full(error: OSError) -> bool:
    """Whether a disk has no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


class Keys:
    """Cloud keys, each below the name of the token it belongs to.

    Parts that come are files of their own; when they are whole they become one, and then a record is written: with it the key is complete.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def list(self, owner: str) -> list[StoredKey]:
        """All keys of an owner."""
        keys = (self.get(owner, key_id) for key_id, _ in self._storage.list(f"keys/{owner}"))
        return [key for key in keys if key is not None]

    def get(self, owner: str, key_id: str) -> StoredKey | None:
        """A key, or what was received of one."""
        record = self._storage.read(f"{_key(owner, key_id)}/record.json")
        if record is not None:
            key: StoredKey = json.loads(record)
            return key
        received, total = 0, None
        for name, info in self._storage.list(f"{_key(owner, key_id)}/parts"):
            total_text, _, first_text = name.partition("-")
            if int(first_text) == received:
                received, total = received + info.size, int(total_text)
        if total is None:
            return None
        return {
            "id": key_id,
            "parameters": None,
            "bytes": total,
            "received": received,
            "complete": False,
            "sha256": None,
        }

    def begin(self, owner: str, key_id: str) -> None:
        """Forgets the parts that were received."""
        self._storage.delete(f"{_key(owner, key_id)}/parts")

    def add_part(self, owner: str, key_id: str, first: int, total: int, part: bytes) -> None:
        """Keeps a part."""
        self._storage.write(f"{_key(owner, key_id)}/parts/{total:015}-{first:015}", part)

    def parts(self, owner: str, key_id: str) -> bytes:
        """The parts, one behind the other."""
        folder = f"{_key(owner, key_id)}/parts"
        parts = (self._storage.read(f"{folder}/{name}") for name, _ in self._storage.list(folder))
        return b"".join(part for part in parts if part is not None)

    def finish(self, owner: str, record: StoredKey, data: bytes) -> None:
        """Keeps a key as a whole."""
        folder = _key(owner, record["id"])
        self._storage.write(f"{folder}/cloud.key", data)
        self._storage.write(f"{folder}/record.json", json.dumps(record).encode())
        self._storage.delete(f"{folder}/parts")

    def read(self, owner: str, key_id: str) -> bytes | None:
        """The file of a key that is complete."""
        return self._storage.read(f"{_key(owner, key_id)}/cloud.key")

    def delete(self, owner: str, key_id: str) -> bool:
        """Deletes a key, and says whether it was there."""
        was_there = self.get(owner, key_id) is not None
        # What is half deleted is no key.
        self._storage.delete_file(f"{_key(owner, key_id)}/record.json")
        self._storage.delete(_key(owner, key_id))
        return was_there


def _key(owner: str, key_id: str) -> str:
    return f"keys/{owner}/{key_id}"


@dataclass
class JobRecord:
    """A job, as it is kept. ``ended`` is when, in seconds since 1970; then it has scores or an error."""

    model: str
    digest: str
    key: str
    key_sha256: str
    total: int | None
    bytes: int
    error: str | None = None
    ended: float | None = None

    def view(self, job_id: str) -> Job:
        """The job, as the service tells it, before it is run or after it."""
        state = "queued" if self.ended is None else "done" if self.error is None else "failed"
        return {
            "id": job_id,
            "model": self.model,
            "key": self.key,
            "state": state,
            "bootstraps": (self.total or 0) if state == "done" else 0,
            "total": self.total,
            "layer": None,
            "seconds_left": None,
            "error": self.error,
        }


class Jobs:
    """Jobs, each below the name of the token it belongs to: the image, the record, and the scores."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def all(self) -> dict[tuple[str, str], JobRecord]:
        """All jobs of all owners."""
        jobs: dict[tuple[str, str], JobRecord] = {}
        for name, _ in self._storage.list("jobs", recursive=True):
            owner, _, rest = name.partition("/")
            job_id, _, file = rest.partition("/")
            record = self._storage.read(f"jobs/{name}") if file == "job.json" else None
            if record is not None:
                fields: dict[str, Any] = json.loads(record)
                jobs[owner, job_id] = JobRecord(**fields)
        return jobs

    def add(self, owner: str, job_id: str, record: JobRecord, image: bytes) -> None:
        """Keeps a job: with its record it is there."""
        self._storage.write(f"jobs/{owner}/{job_id}/image", image)
        self.put(owner, job_id, record)

    def put(self, owner: str, job_id: str, record: JobRecord) -> None:
        """Keeps a record in the place of the one that was there."""
        self._storage.write(f"jobs/{owner}/{job_id}/job.json", json.dumps(record.__dict__).encode())

    def image(self, owner: str, job_id: str) -> bytes | None:
        """The image of a job."""
        return self._storage.read(f"jobs/{owner}/{job_id}/image")

    def put_scores(self, owner: str, job_id: str, scores: bytes) -> None:
        """Keeps the scores of a job."""
        self._storage.write(f"jobs/{owner}/{job_id}/scores", scores)

    def scores(self, owner: str, job_id: str) -> bytes | None:
        """The scores of a job."""
        return self._storage.read(f"jobs/{owner}/{job_id}/scores")

    def delete(self, owner: str, job_id: str) -> None:
        """Deletes a job."""
        self._storage.delete_file(f"jobs/{owner}/{job_id}/job.json")
        self._storage.delete(f"jobs/{owner}/{job_id}")
