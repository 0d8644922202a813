"""The TFHE library's files in a folder that the library filled (the names of `gates.txt` and so on are the
folder's).

Keys are checked against what they are to encrypt, samples are decrypted, and gates are computed anew, by the
library's algorithm in exact arithmetic, on its keys and inputs. What a folder does not have is skipped.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from reference import tfhe_lib, torus
from reference.keys import inner
from reference.polynomial import Bits

from .vector import Skipped

# Noise of keys, in standard deviations: of some 10^5 samples, one Gaussian in 10^4 such keys is beyond.
_DEVIATIONS = 7.0


class _Folder:
    """The files, each read once; `alter` is the file and offset at which a bit is flipped, for the self-test."""

    def __init__(self, path: Path, alter: tuple[str, int] | None = None):
        self.path, self.alter = path, alter

    def read(self, name: str) -> bytes:
        if not (self.path / name).is_file():
            raise Skipped(f"{name} is not there")
        data = bytearray((self.path / name).read_bytes())
        if self.alter is not None and self.alter[0] == name:
            data[self.alter[1]] ^= 0x20
        return bytes(data)

    def reader(self, name: str) -> tfhe_lib.Reader:
        return tfhe_lib.Reader(self.read(name))

    def table(self, name: str) -> list[list[str]]:
        lines = self.read(name).decode("ascii").splitlines()
        return [line.split() for line in lines if not line.startswith("#")]

    @functools.cache
    def secret_file(self):
        """The cloud key, the small key and the large one of secret.key."""
        reader = self.reader("secret.key")
        keys = reader.secret_key()
        if not reader.at_end():
            raise ValueError(f"secret.key goes on after its end, offset {reader.offset}")
        return keys

    def cloud(self) -> tfhe_lib.CloudKey:
        return self.secret_file()[0]

    @functools.cache
    def parameters(self) -> tfhe_lib.Parameters:
        return self.reader("params.txt").parameters()

    @functools.cache
    def small(self) -> np.ndarray:
        return self._key("lwe.key", ["LWEPARAMS"], tfhe_lib.LWE_KEY, self.parameters().n)

    @functools.cache
    def large(self) -> np.ndarray:
        p = self.parameters()
        return self._key("tgsw.key", ["TLWEPARAMS", "TGSWPARAMS"], tfhe_lib.TGSW_KEY, p.k * p.size)

    def tlwe_key(self) -> np.ndarray:
        p = self.parameters()
        return self._key("tlwe.key", ["TLWEPARAMS"], tfhe_lib.TLWE_KEY, p.k * p.size)

    def _key(self, name: str, sections: list[str], uid: int, count: int) -> np.ndarray:
        reader = self.reader(name)
        for section in sections:
            reader.section(section)
        key = reader.key(uid, count)
        if not reader.at_end():
            raise ValueError(f"{name} goes on after its end, offset {reader.offset}")
        return key

    @functools.cache
    def samples(self, name: str, dimension: int):
        return self.reader(name).lwe_samples(dimension)


def _agree(what: str, same) -> str | None:
    return None if same else what


def _key_files(folder: _Folder):
    def prefix():
        secret, cloud = folder.read("secret.key"), folder.read("cloud.key")
        p = folder.parameters()
        length = 8 + 4 * p.n + 4 * p.k * p.size
        return _agree("not the secret key file without its last part", secret[:-length] == cloud)

    def same(key, other):
        return lambda: _agree("another key than in secret.key", np.array_equal(key(), other()))

    if (folder.path / "cloud.key").is_file():  # a prefix, which need not be kept
        yield "cloud.key", prefix
    yield "params.txt", lambda: _agree("others than in secret.key",
                                       folder.parameters() == folder.cloud().parameters)
    yield "lwe.key", same(folder.small, lambda: folder.secret_file()[1])
    yield "tgsw.key", same(folder.large, lambda: folder.secret_file()[2])
    yield "tlwe.key", same(folder.tlwe_key, folder.large)


def _beyond(errors, variance: float) -> str | None:
    """Whether noise is what the key's variance says: none beyond, and not far less either."""
    reals = torus.signed(errors).astype(float) / 2.0**64
    # Elements of 32 bits add the rounding of 2^-32.
    limit, unit = variance**0.5, 2.0**-32
    if np.abs(reals).max() > _DEVIATIONS * limit + unit:
        return f"noise of {np.abs(reals).max():.3g}, for a deviation of {limit:.3g}"
    ratio = (reals**2).mean() / (variance + unit**2 / 12)
    return None if 0.5 < ratio < 2 else f"noise of {ratio:.3g} times the stated variance"


def _switching_key(folder: _Folder):
    def zeros():
        return _agree("samples of 0 that are not zero", not folder.cloud().switch[:, :, 0].any())

    def phases():
        cloud, small, large = folder.secret_file()
        p, samples = cloud.parameters, cloud.switch[:, :, 1:]
        weights = [[h << (64 - (j + 1) * p.switch_base_log) for h in range(1, 1 << p.switch_base_log)]
                   for j in range(p.switch_levels)]
        messages = large[:, None, None] * np.array(weights, np.uint64)
        return _beyond(samples[..., -1] - inner(samples[..., :-1], small) - messages, cloud.switch_variance)

    yield "samples of 0", zeros
    yield "phases", phases


def _bootstrapping_key(folder: _Folder):
    def phases():
        cloud, small, large = folder.secret_file()
        p, rows = cloud.parameters, cloud.bootstrap
        masks = rows[:, :, : p.k].reshape(-1, p.k * p.size)
        found = (rows[:, :, p.k].reshape(-1, p.size) - Bits(large, p.size).product(masks)).reshape(p.n, -1, p.size)
        for row in range(found.shape[1]):
            polynomial, level = divmod(row, p.levels)
            weights = small * np.uint64(1 << (64 - (level + 1) * p.base_log))
            if polynomial < p.k:  # the message is in mask `polynomial`, so the phase has it times -S
                secret = large[polynomial * p.size : (polynomial + 1) * p.size]
                found[:, row] += weights[:, None] * secret
            else:
                found[:, row, 0] -= weights
        return _beyond(found, cloud.bootstrap_variance)

    def sample():
        reader, cloud = folder.reader("bk0.tgswsample"), folder.cloud()
        same = np.array_equal(reader.tgsw_sample(cloud.parameters), cloud.bootstrap[0]) and reader.at_end()
        return _agree("not the first sample of the bootstrapping key", same)

    yield "phases", phases
    yield "bk0.tgswsample", sample


def _ciphertexts(folder: _Folder):
    for index, bit in folder.table("bits.txt"):
        def check(index=int(index), bit=bit == "1"):
            phase = tfhe_lib.phase(folder.samples("cts.bin", folder.parameters().n)[index], folder.small())
            near = abs(phase - (2**29 if bit else -(2**29))) < 2**28
            return _agree(f"phase {phase} is not that of {int(bit)}", near)
        yield f"cts.bin, record {index}", check


def _gate_records(folder: _Folder):
    """Gate, record, inputs' samples, expected bit, the library's sample and phase."""
    n = folder.parameters().n
    for name, record, *inputs, _, _, _, expected, phase in folder.table("gates.txt"):
        given = [folder.samples("cts.bin", n)[int(index)] for index in inputs if index != "-"]
        yield name, record, given, expected == "1", folder.samples(f"gate_{name}.bin", n)[int(record)], int(phase)


def _gates(folder: _Folder):
    """What the library's samples decrypt to; those of gates without a bootstrap, word for word."""
    for name, record, given, expected, sample, phase in _gate_records(folder):
        def check(name=name, given=given, expected=expected, sample=sample, phase=phase):
            found = tfhe_lib.phase(sample, folder.small())
            if found != phase or (phase > 0) != expected:
                return f"the library's sample has the phase {found}"
            if name == "NOT":
                return _agree("not the negated input", np.array_equal(sample, -given[0]))
            if name == "CONSTANT":
                eighth = np.uint64(tfhe_lib.EIGHTH if expected else 7 * tfhe_lib.EIGHTH)
                return _agree("not a constant", not sample[:-1].any() and sample[-1] == eighth)
            return None
        yield f"{name}, record {record}", check


def _gates_anew(folder: _Folder):
    for name, record, given, expected, _, phase in _gate_records(folder):
        def check(name=name, given=given, expected=expected, phase=phase):
            ours = tfhe_lib.phase(tfhe_lib.gate(folder.cloud(), name, given), folder.small())
            return _agree(f"our phase is {ours}, the library's {phase}", (ours > 0) == expected)
        if name in tfhe_lib.GATES or name == "MUX":
            yield f"{name}, record {record}", check


def _without_switch(folder: _Folder):
    for record in range(4):
        def check(record=record):
            p = folder.parameters()
            given = folder.samples("cts.bin", p.n)[record]
            theirs = tfhe_lib.phase(folder.samples("woks_cts0to3.bin", p.k * p.size)[record], folder.large())
            ours = tfhe_lib.bootstrap_without_switch(folder.cloud(), given, tfhe_lib.EIGHTH)
            ours = tfhe_lib.phase(ours, folder.large())
            near = abs(ours - theirs) < 2**26 and (theirs > 0) == (tfhe_lib.phase(given, folder.small()) > 0)
            return _agree(f"our phase is {ours}, the library's {theirs}", near)
        yield f"record {record}", check


# What is checked, how, and where a flipped bit must be noticed: the file, and the offset from its start or end.
_GROUPS = (
    ("keys in files of their own", _key_files, ("tlwe.key", -4)),
    ("key-switching key", _switching_key, ("secret.key", 1_000_003)),
    ("bootstrapping key", _bootstrapping_key, ("bk0.tgswsample", 1003)),
    ("ciphertexts", _ciphertexts, ("cts.bin", 71)),
    ("gates, decrypted", _gates, ("gate_NAND.bin", 71)),
    ("gates, computed anew", _gates_anew, ("cts.bin", 71)),
    ("bootstrap without key switch", _without_switch, ("woks_cts0to3.bin", 4103)),
)


def groups(path: Path, testing: bool):
    """Each with its cases. When testing, a group has one: that some case fails on an altered file."""
    if not path.is_dir():
        yield "all of it", [("", lambda: _absent(path))]
        return
    folder = _Folder(path)
    for what, cases, alter in _GROUPS:
        if testing:
            yield what, [("an altered file", functools.partial(_notices, cases, _Folder(path, alter)))]
        else:
            yield what, cases(folder)


def _absent(path: Path):
    raise Skipped(f"no folder {path.name} here")


def _notices(cases, folder: _Folder) -> str | None:
    skipped = None
    for _, check in cases(folder):
        try:
            if check() is not None:
                return None
        except Skipped as why:
            skipped = why
        except ValueError:
            return None
    if skipped is not None:
        raise skipped
    return "an altered file passes"
