"""A dataset of encrypted images, evaluated by Ray Data.

What Ray does is not built again: it hands out the images, starts actors anew that were lost with their machine, and evaluates again what they
had in hand; it moves to the disk what the object store has no room for; and its checkpoint knows what was written by an earlier run.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.fs
import ray
from ray.data import ActorPoolStrategy, Dataset
from ray.data.checkpoint import CheckpointConfig

from .._errors import InputError, PeerError
from .._native import CloudKey, EncryptedImage, Evaluator, Model, Server, set_threads

# Memory that Ray sets aside for the actor that leaves out rows of an earlier run, in bytes. Ray's own figure of 1 GB is for
# hundreds of millions of rows.
_FILTER_MEMORY = 128 << 20
# How often Ray evaluates a block again whose worker was lost. A block that ends so many workers is itself the reason.
_MOST_RETRIES = 8


def evaluate_dataset(
    images: Dataset | str | list[str],
    model: Model,
    cloud_key: CloudKey,
    *,
    output: str | None = None,
    actors: int | tuple[int, int] | None = None,
    cpus: int = 1,
    block_rows: int = 8,
    id_column: str = "id",
    image_column: str = "image",
    scores_column: str = "scores",
    error_column: str = "error",
) -> Dataset:
    """Evaluates a model on every row of a dataset, in the order of its rows.

    ``images`` is a Ray dataset, or a path of Parquet files, with the bytes of an :class:`EncryptedImage` in ``image_column``. The result has the
    other columns of its rows, the bytes of :class:`EncryptedScores` in ``scores_column``, and in ``error_column`` a line that says why there are
    none: an image that is damaged, or of another model or key, gets such a line, and all others get their scores.

    The cloud key is put into the object store once and expanded once in each of ``actors`` actors, which have ``cpus`` threads each;
    their number may be a range, within which Ray starts and stops them. Without it there are as many as the cluster has processors for,
    one or two of which are left to Ray's own tasks. A task has ``block_rows`` images: they are evaluated side by side, and are what
    is lost with a worker.

    Without ``output`` the result is lazy, as all datasets are. With it the rows are evaluated now and written as Parquet files below this folder,
    which all machines must reach: a path, or an address such as ``s3://bucket/folder``. What an earlier call wrote there is not
    evaluated again. Then ``images`` is a path, and ``id_column`` names a column whose values are unique, by which the rows of the result
    are sorted.

    Raises :class:`InputError` for arguments that do not fit, and Ray's exceptions where the work cannot be done.
    """
    if cpus < 1 or block_rows < 1:
        raise InputError(f"{cpus} processors an actor and {block_rows} rows a block: at least 1 of each is needed")
    if output is not None and isinstance(images, Dataset):
        # Ray's checkpoint leaves out rows where they are read from files, and does not say so where they are not.
        raise InputError("with an output folder the images are a path of Parquet files, and not a dataset")
    if not isinstance(images, Dataset):
        images = ray.data.read_parquet(images)
    # Ray counts a whole processor for tasks that move rows, and for the actor that leaves out those of an earlier run.
    spare = 1 if output is None else 2
    processors = int(ray.cluster_resources().get("CPU", 0))  # type: ignore[no-untyped-call]
    if actors is None:
        actors = max(1, (processors - spare) // cpus)
    smallest, largest = (actors, actors) if isinstance(actors, int) else actors
    if smallest * cpus + spare > processors:
        # Ray would wait for them without end.
        raise InputError(
            f"{smallest} actors of {cpus} processors, and {spare} for Ray's own tasks, are more than the {processors} of the cluster; "
            f"these tasks take little, so that it may be told of {spare} more: ray.init(num_cpus={smallest * cpus + spare})"
        )
    # Put once, and not once with every actor or block.
    inputs = ray.put((model.to_bytes(), cloud_key.to_bytes()))
    # A small dataset is one block as it is read, which is work for one actor only.
    blocks = images.repartition(target_num_rows_per_block=block_rows)
    results = blocks.map_batches(
        _Evaluation,
        batch_size=block_rows,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(min_size=smallest, max_size=largest),
        fn_constructor_kwargs={
            "inputs": [inputs],
            "cpus": cpus,
            "image_column": image_column,
            "scores_column": scores_column,
            "error_column": error_column,
        },
        num_cpus=cpus,
        max_restarts=-1,
        max_task_retries=_MOST_RETRIES,
        udf_modifying_row_count=False,
    )
    results.context.execution_options.preserve_order = True
    if output is None:
        return results
    return _write(results, output.rstrip("/"), id_column)


def _write(results: Dataset, output: str, id_column: str) -> Dataset:
    """Writes what is not there yet, and gives all of it."""
    checkpoint = CheckpointConfig(id_column, f"{output}/checkpoint", delete_checkpoint_on_success=False)
    checkpoint.checkpoint_actor_memory_bytes = _FILTER_MEMORY
    results.context.checkpoint_config = checkpoint
    scores = f"{output}/scores"
    results.write_parquet(scores)
    written = ray.data.read_parquet(scores)
    # Ray sorts in 200 parts where it does not know how much there is, which for a small dataset takes longer than the work.
    system, folder = pyarrow.fs.FileSystem.from_uri(scores)
    files = len(system.get_file_info(pyarrow.fs.FileSelector(folder)))
    written.context.default_hash_shuffle_parallelism = max(1, min(files, written.context.default_hash_shuffle_parallelism))
    return written.sort(id_column)


class _Evaluation:
    """An actor with an expanded cloud key."""

    def __init__(self, inputs: list[Any], cpus: int, image_column: str, scores_column: str, error_column: str) -> None:
        set_threads(cpus)
        (manifest, weights), key = ray.get(inputs[0])
        self._server = Server(Model.from_bytes(manifest, weights), Evaluator(CloudKey.from_bytes(key)))
        self._image_column = image_column
        self._scores_column = scores_column
        self._error_column = error_column

    def __call__(self, batch: pa.Table) -> pa.Table:
        found = self._evaluate(batch.column(self._image_column).to_pylist())
        # As 64-bit offsets: the scores of a block may have more than 2 GB.
        scores = pa.array([scores for scores, _ in found], pa.large_binary())
        errors = pa.array([error for _, error in found], pa.string())
        rest = batch.drop_columns([self._image_column])
        return rest.append_column(self._scores_column, scores).append_column(self._error_column, errors)

    def _evaluate(self, images: list[Any]) -> list[tuple[bytes | None, str | None]]:
        """Scores, or what is wrong with an image."""
        results: list[tuple[bytes | None, str | None]] = [(None, None)] * len(images)
        good: list[tuple[int, EncryptedImage]] = []
        for index, data in enumerate(images):
            try:
                if not isinstance(data, bytes):
                    raise InputError(f"an encrypted image is bytes, and not {type(data).__name__}")
                image = EncryptedImage.from_bytes(data)
                self._check(image)
                good.append((index, image))
            except (InputError, PeerError) as error:
                results[index] = (None, str(error))
        try:
            scores = self._server.infer([image for _, image in good]) if good else []
            for (index, _), one in zip(good, scores):
                results[index] = (one.to_bytes(), None)
        except (InputError, PeerError):
            # One of them is wrong in a way that only the engine sees.
            for index, image in good:
                results[index] = self._evaluate_one(image)
        return results

    def _evaluate_one(self, image: EncryptedImage) -> tuple[bytes | None, str | None]:
        try:
            return self._server.infer(image).to_bytes(), None
        except (InputError, PeerError) as error:
            return None, str(error)

    def _check(self, image: EncryptedImage) -> None:
        model, key = self._server.model, self._server.evaluator
        if image.model_digest != model.digest:
            raise PeerError(f"this image was encrypted for another model than {model.name}")
        if image.key_id != key.key_id:
            raise PeerError(f"this image is encrypted under the key {image.key_id}, and not {key.key_id}")
