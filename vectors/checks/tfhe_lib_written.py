"""tfhe-lib/written.json: the files that our keys and ciphertexts become in the library's form."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path

import numpy as np

from reference import chacha20, keys, native_file
from reference import tfhe_lib_writer as writer
from reference.parameters import SETS

from . import keys as known
from .vector import Skipped, altered, difference


def _secret_key_set(p):
    return writer.secret_key(known.cloud(p.name, 1, 2), known.secret(p.name, 1))


def _cloud_key_set(p):
    return writer.cloud_key(known.cloud(p.name, 1, 2))


def _fresh_cloud_key_set(p):
    return writer.cloud_key(known.cloud(p.name, 1, 2), (known.secret(p.name, 1), chacha20.test_seed(5)))


def _ciphertexts(p):
    secret, seed = known.secret(p.name, 1), chacha20.test_seed(3)
    messages = keys.encode_bits(i % 3 == 1 for i in range(40))
    masks = chacha20.masks(chacha20.mask_seed(seed), chacha20.CIPHERTEXTS, np.arange(40), p.wire, 32)
    bodies = keys.lwe_bodies(secret.wire, messages, p.fresh_deviation, seed)
    return writer.ciphertexts(p, np.concatenate((masks, bodies[:, None]), 1))


def _native_cloud_key(p):
    """Its identity is the beginning of the sum of the cloud key set that it was."""
    sum_ = hashlib.sha256()
    for part in _cloud_key_set(p):
        sum_.update(part)
    return [native_file.cloud_key_with_masks(known.cloud(p.name, 1, 2), sum_.digest()[:16])]


_FILES = {
    "secret key set (seeds 1, 2)": _secret_key_set,
    "cloud key set (seeds 1, 2)": _cloud_key_set,
    "cloud key set, fresh samples (seeds 1, 2, 5)": _fresh_cloud_key_set,
    "ciphertexts (seeds 1, 3)": _ciphertexts,
    "native cloud key with masks (seeds 1, 2)": _native_cloud_key,
}


def cases(folder: Path, testing: bool):
    """A case a file. When testing, the smallest kind of file is recorded as another, and must fail."""
    path = folder / "written.json"
    if not path.is_file():
        yield "all", lambda: _absent(path)
        return
    for set_, files in json.loads(path.read_text(encoding="utf-8")).items():
        for name, recorded in files.items():
            if not testing:
                yield f"{set_}, {name}", functools.partial(_check, set_, name, recorded)
            elif name.startswith("ciphertexts"):
                yield f"{set_}, {name}", functools.partial(_notices, set_, name, altered(recorded))


def _notices(set_: str, name: str, recorded) -> str | None:
    return None if _check(set_, name, recorded) else "an altered sum passes"


def _absent(path: Path):
    raise Skipped(f"no file {path.parent.name}/{path.name} here")


def _check(set_: str, name: str, recorded) -> str | None:
    if name not in _FILES:
        raise Skipped("not recomputed")
    sum_, length = hashlib.sha256(), 0
    for part in _FILES[name](SETS[set_]):
        sum_.update(part)
        length += len(part)
    return difference(recorded, {"bytes": length, "sha256": sum_.hexdigest()})
