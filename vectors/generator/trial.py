"""Every command on one model, against the numpy reading of docs/formats.md."""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reference import network

from . import draw, faults, gates, pictures
from .command import Answer, Bnn, Fault
from .folder import Made

# Pictures of a model.
PICTURES = 4
# No such instruction set: it stops `estimate` where it would time this machine, after all that it works out of a model.
NO_TIMING = {"TFHE_BACKEND": "none"}
# Standard deviations that noise stays within.
MOST_DEVIATIONS = 10
# Of a hidden layer whose signs are right: sums are half a unit from where the sign changes.
SURE_NOISE = 0.5 / MOST_DEVIATIONS
# Random pixels do not look like bright ink on dark paper.
AS_IS = "--as-is"
# Bootstraps of a model that also runs encrypted.
MOST_BOOTSTRAPS = {"functional": 60, "gates": 150}


@dataclass
class Shared:
    """What the trials have in common: keys, and how many encrypted runs are still to be made."""

    bnn: Bnn
    keys: Path
    runs_left: dict[str, int]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def key(self, name: str, *arguments) -> Path:
        """The folder of a key, which is made where it is first asked for."""
        with self.lock:
            folder = self.keys / name
            if not folder.is_dir():
                self.bnn("keygen", *arguments, "--out", folder).must_be_done()
            return folder

    def gates_key(self) -> Path:
        return self.key("gates", "--engine", "gates")

    def may_run(self, engine: str) -> bool:
        with self.lock:
            self.runs_left[engine] -= 1
            return self.runs_left[engine] >= 0


@dataclass
class Result:
    """`equal` counts scores of pictures."""

    refused: bool = False
    equal: int = 0
    encrypted: int = 0


def make(seed: int, number: int, folder: Path) -> Made:
    """Model `number` of a seed, in its folder. One of three is spoilt, where nothing else may be said against it."""
    rng = random.Random(f"{seed} {number}")
    made = draw.model(rng)
    if rng.random() < 1 / 3 and draw.ranges(made)[0] == "fits":
        faults.spoil(rng, made)
    made.write(folder)
    return made


class Trial:
    def __init__(self, shared: Shared, folder: Path, made: Made, rng: random.Random, alter: str = ""):
        self.bnn, self.shared, self.folder, self.made, self.rng = shared.bnn, shared, folder, made, rng
        # What a self-test alters: `score`, `label` or `bit`.
        self.alter = alter
        self.files = folder.with_name(f"{folder.name}-files")
        self.files.mkdir()

    def run(self) -> Result:
        if self.made.fault:
            return self._refused(self.made.names)
        verdict, names = draw.ranges(self.made)
        inspected = self.bnn("inspect", self.folder)
        if verdict == "refused" or verdict == "either" and inspected.refusal:
            return self._refused(names)
        model = network.Model(self.folder)
        given = self._pictures(model)
        result = Result()
        self._check_inspect(inspected.object(), model)
        specification = self._check_specification(model)
        self._check_evaluate(given, model)
        key = gates.SecretKey(self.shared.gates_key() / "secret.key")
        for number, pixels in enumerate(given):
            result.equal += self._check_scores(number, pixels, model, key)
        self._check_engines(inspected.object(), given, model, specification, result)
        return result

    def _layer_names(self) -> list[str]:
        return [layer["name"] for layer in self.made.layers]

    def _refused(self, names: list[str]) -> Result:
        """By every command, of which each reads the model first."""
        folder, key, out = self.folder, self.shared.gates_key(), self.files / "out"
        images, labels = self._data_set([np.zeros((2, 2), np.uint8)], [0])
        for answer in (
            self.bnn("inspect", folder),
            self.bnn("models", "--client", folder, "--out", out),
            self.bnn("estimate", folder, **NO_TIMING),
            self.bnn("estimate", folder, "--engine", "gates", "--style", "as-published", **NO_TIMING),
            self.bnn("keygen", "--model", folder, "--out", out),
            self.bnn("encrypt", images, "--index", 0, AS_IS, "--model", folder, "--key", key / "secret.key",
                     "--out", out),
            self.bnn("evaluate", "--images", images, AS_IS, "--labels", labels, "--model", folder),
        ):
            answer.must_be_refused(names)
            if out.exists():
                raise Fault(f"{answer.line}: refused, and left {out}")
        return Result(refused=True)

    def _pictures(self, model: network.Model) -> list[np.ndarray]:
        """Pictures whose encoding is well defined: there may be none of few pixels."""
        given = model.manifest["input"]
        found = []
        for _ in range(10 * PICTURES):
            pixels = pictures.draw(self.rng, given["height"], given["width"])
            try:
                model.encode(pixels)
            except ArithmeticError:
                continue
            found.append(pixels)
            if len(found) == PICTURES:
                break
        return found

    def _data_set(self, given: list[np.ndarray], labels: list[int]) -> tuple[Path, Path]:
        images, of = self.files / "images.idx3-ubyte", self.files / "labels.idx1-ubyte"
        images.write_bytes(pictures.idx(given))
        of.write_bytes(pictures.idx_labels(labels))
        return images, of

    def _check_inspect(self, found: dict, model: network.Model) -> None:
        """What the model is."""
        _equal("inspect: digest", found["model"]["digest"], model.digest)
        layers = [(layer["name"], layer["kind"]) for layer in found["layers"]]
        _equal("inspect: layers", layers, [(layer["name"], layer["kind"]) for layer in self.made.layers])

    def _check_specification(self, model: network.Model) -> dict:
        out = self.files / "client.json"
        self.bnn("models", "--client", self.folder, "--out", out).must_be_done()
        found, given = json.loads(out.read_text(encoding="utf-8")), model.manifest["input"]
        pixels = {name: value for name, value in given.items() if name not in ("width", "height")}
        classes = self._classes()
        _equal("client specification: input", found["input"],
               {"width": given["width"], "height": given["height"], "pixels": pixels})
        _equal("client specification: model", found["model"],
               {"name": model.manifest["name"], "digest": model.digest})
        _equal("client specification: labels", len(found["labels"]), classes)
        _equal("client specification: fraction_bits", found["fraction_bits"], model.fraction_bits)
        _equal("client specification: checksum", found["checksum"],
               hashlib.sha256(gates.text_sum(found).encode()).hexdigest())
        scores = [engine["scores"] for engine in found["engines"] if engine["engine"] == "gates"]
        if not scores or set(scores) != {classes}:
            raise Fault(f"client specification: scores of the gate engine: {scores}")
        return found

    def _classes(self) -> int:
        return [layer for layer in self.made.layers if layer["kind"] == "dense"][-1]["outputs"]

    def _check_evaluate(self, given: list[np.ndarray], model: network.Model) -> None:
        """Labels in the clear: every second picture is given another label than the numpy reading's."""
        if not given:
            return
        accepted, right, labels = 0, 0, []
        for number, pixels in enumerate(given):
            scores = _scores(model, pixels)
            label = int(np.argmax(scores)) if scores else 0
            wrong = number % 2 == 1 and self._classes() > 1
            labels.append((label + wrong) % self._classes())
            accepted += bool(scores)
            right += bool(scores) and not wrong
        if self.alter == "label":
            labels[0] = (labels[0] + 1) % self._classes()
        images, of = self._data_set(given, labels)
        found = self.bnn("evaluate", "--images", images, AS_IS, "--labels", of, "--model", self.folder).object()
        _equal("evaluate: pictures refused", found["refused"], len(given) - accepted)
        _equal("evaluate: right labels", found["integer_correct"], right)

    def _check_scores(self, number: int, pixels: np.ndarray, model: network.Model, key: gates.SecretKey) -> int:
        """Scores in the clear, and what the gate engine's client sends.

        `decrypt` compares scores that we encrypt with its own, bit for bit.
        """
        picture, choice = pictures.write(self.rng, pixels, self.files / str(number))
        secret, out = self.shared.gates_key() / "secret.key", self.files / f"{number}.enc"
        common = ["--model", self.folder, "--key", secret]
        encrypted = self.bnn("encrypt", picture, *choice, AS_IS, *common, "--out", out)
        scores = _scores(model, pixels)
        if scores is None:
            encrypted.must_be_refused([picture.name])
            return 0
        encrypted.must_be_done()
        bits = gates.picture_bits(model.manifest["input"], model.encode(pixels))
        if self.alter == "bit":
            bits[0] ^= 1
        _equal(f"{encrypted.line}: bits", key.picture(out.read_bytes()), bits)

        if self.alter == "score":
            scores[-1] += 1
        width = max(2, *(score.bit_length() + 1 for score in scores)) + self.rng.choice([0, 0, 1, 8])
        file = self.files / f"{number}.scores"
        file.write_bytes(key.scores(scores, min(width, 63), model.digest))
        compared = ["--compare", picture, *choice, AS_IS]
        answer = self.bnn("decrypt", file, *compared, *common)
        if answer.refusal:
            # Without --json both are shown.
            shown = self.bnn("decrypt", file, *compared, *common, json_=False).text
            raise Fault(f"{answer.line}: {answer.refusal}: the numpy reading gives {scores}, the command\n{shown}")
        found = _decrypted(answer)
        unit = 2.0**-model.fraction_bits
        _equal(f"{answer.line}: scores", found["scores"], [score * unit for score in scores])
        _equal(f"{answer.line}: label", found["label"], int(np.argmax(scores)))
        _equal(f"{answer.line}: equal", found["equal_to_plain"], True)
        return 1

    def _check_engines(self, inspected: dict, given: list, model: network.Model, specification: dict,
                       result: Result) -> None:
        """Plans of both engines; encrypted runs of a few models; and the engine that cannot run one says so."""
        blank = np.zeros((self.made.input["height"], self.made.input["width"]), np.uint8)
        images, labels = self._data_set([blank, *given], [0] * (len(given) + 1))
        bootstraps = {style: self._planned("--engine", "gates", "--style", style)
                      for style in ("as-published", "optimized")}
        styles = [style for style, count in bootstraps.items() if count <= MOST_BOOTSTRAPS["gates"]]
        accepted = [number for number, pixels in enumerate(given) if _scores(model, pixels)]
        if accepted and styles and self.shared.may_run("gates"):
            self._run_gates(accepted[0], given[accepted[0]], self.rng.choice(styles))
            result.encrypted += 1
        if inspected["bootstraps"] is None:
            out = self.files / "functional"
            for answer in (
                self.bnn("estimate", self.folder, "--engine", "functional", **NO_TIMING),
                self.bnn("keygen", "--model", self.folder, "--out", out),
                self.bnn("evaluate", "--images", images, AS_IS, "--labels", labels, "--model", self.folder,
                         "--encrypted"),
            ):
                answer.must_be_refused(self._layer_names() + ["window"])
            return
        planned = self._planned("--engine", "functional", "--images", images, AS_IS)
        _equal("estimate: bootstraps", planned, inspected["bootstraps"])
        if accepted and planned <= MOST_BOOTSTRAPS["functional"] and self.shared.may_run("functional"):
            self._run_functional(accepted[0], given[accepted[0]], model, inspected, specification)
            result.encrypted += 1

    def _planned(self, *arguments) -> int:
        """The bootstraps of all layers."""
        answer = self.bnn("estimate", self.folder, *arguments, json_=False, **NO_TIMING)
        answer.must_be_refused(["none"])
        # What comes after all layers.
        if not re.search("^(exactness|sent) ", answer.text, re.MULTILINE):
            raise Fault(f"{answer.line}: not planned to the end: {answer.text}{answer.refusal}")
        return sum(map(int, re.findall(r"^layer .*?: (\d+) bootstraps", answer.text, re.MULTILINE)))

    def _run_gates(self, number: int, pixels: np.ndarray, style: str) -> None:
        """Scores that are equal, bit for bit."""
        key, out = self.shared.gates_key(), self.files / "gates.scores"
        picture, choice = pictures.write(self.rng, pixels, self.files / "gates")
        self.bnn("infer", self.files / f"{number}.enc", "--cloud-key", key / "cloud.key", "--model", self.folder,
                 "--style", style, "--out", out).must_be_done()
        answer = self.bnn("decrypt", out, "--compare", picture, *choice, AS_IS, "--key", key / "secret.key",
                          "--model", self.folder)
        _equal(f"{answer.line}: equal", _decrypted(answer)["equal_to_plain"], True)

    def _run_functional(self, number: int, pixels: np.ndarray, model: network.Model, inspected: dict,
                        specification: dict) -> None:
        """Scores within their noise, where hidden layers give signs that noise cannot change."""
        engines = [engine for engine in specification["engines"] if engine["engine"] == "functional"]
        key = self.shared.key(engines[0]["parameters"], "--model", self.folder)
        picture, choice = pictures.write(self.rng, pixels, self.files / "functional")
        image, out = self.files / "functional.enc", self.files / "functional.scores"
        client = ["--key", key / "secret.key", "--client", self.files / "client.json"]
        self.bnn("encrypt", picture, *choice, AS_IS, *client, "--out", image).must_be_done()
        self.bnn("infer", image, "--cloud-key", key / "cloud.key", "--model", self.folder, "--out", out).must_be_done()
        answer = self.bnn("decrypt", out, *client)
        found, unit = _decrypted(answer)["scores"], 2.0**-model.fraction_bits
        noises = [layer["noise_deviation"] for layer in inspected["layers"] if layer["noise_deviation"] is not None]
        sure = all(kind in ("binary-dense", "sign") for kind in _activations(self.made.layers))
        if not sure or any(noise > SURE_NOISE for noise in noises[:-1]):
            return
        most = (MOST_DEVIATIONS * noises[-1] + 1) * unit
        scores = [score * unit for score in _scores(model, pixels)]
        if len(found) != len(scores) or any(abs(a - b) > most for a, b in zip(found, scores)):
            raise Fault(f"{answer.line}: {found}, where the numpy reading gives {scores}, and noise at most {most}")


def _activations(layers: list[dict]) -> list[str]:
    """What follows each linear layer but the last: the kind of the layer itself for `binary-dense`."""
    linear = ("dense", "convolution", "xnor-convolution")
    last = max(index for index, layer in enumerate(layers) if layer["kind"] == "dense")
    found = []
    for layer, after in zip(layers[:last], layers[1:]):
        found.append(after["kind"] if layer["kind"] in linear else layer["kind"])
    return found


def _scores(model: network.Model, pixels: np.ndarray) -> list[int] | None:
    """The integer scores, or none for a picture that the model does not accept."""
    given, encoded = model.manifest["input"], model.encode(pixels)
    if given["encoding"] == "threshold" and encoded[0].sum() > given["max_active"]:
        return None
    if given["encoding"] == "sign-and-scale" and encoded[1].max() > given["largest"]:
        return None
    return model.trace(encoded)[-1].tolist()


def _decrypted(answer: Answer) -> dict:
    """What `decrypt` says of its only file."""
    return answer.object()["decrypted"][0]


def _equal(what: str, found, expected) -> None:
    if found != expected:
        raise Fault(f"{what}: {found}, where the numpy reading gives {expected}")


def check_list(bnn: Bnn, folder: Path, made: dict[str, Made], refused: dict[str, bool]) -> None:
    """`models` on the folder of all: those that are refused do not hide the others."""
    found = {entry["name"]: entry for entry in bnn("models", BNN_MODELS=str(folder)).object()["models"]}
    for name, entry in made.items():
        if name not in found:
            raise Fault(f"bnn models: {name} is not listed")
        if ("error" in found[name]) != refused[name]:
            raise Fault(f"bnn models: {name}: {found[name]}, and the other commands say otherwise")
        if entry.fault and not any(part in found[name]["error"] for part in entry.names):
            raise Fault(f"bnn models: {name}: {found[name]} does not name {' or '.join(entry.names)}")
