"""Runs the command and judges how it ended: done, or refused on one line. Anything else is a fault."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

# Only a command that hangs takes so many seconds, however busy the machine is.
LONGEST = 900


class Fault(Exception):
    """What is wrong with the command, or with what it gave."""


@dataclass
class Answer:
    """`refusal` is empty where the command is done."""

    line: str
    text: str
    refusal: str

    def object(self) -> dict:
        """What a command that is done printed with --json."""
        self.must_be_done()
        return json.loads(self.text)

    def must_be_done(self) -> None:
        if self.refusal:
            raise Fault(f"{self.line}: refused: {self.refusal}")

    def must_be_refused(self, names: list[str]) -> None:
        """On a line that has one of the names; without names, whatever it says."""
        if not self.refusal:
            raise Fault(f"{self.line}: done, where a refusal must name {' or '.join(names)}")
        if names and not any(name in self.refusal for name in names):
            raise Fault(f"{self.line}: the refusal does not name {' or '.join(names)}: {self.refusal}")


@dataclass
class Bnn:
    program: list[str]
    folder: Path
    runs: list[int] = field(default_factory=list)  # an exit code each

    def __call__(self, *arguments, json_: bool = True, **variables: str) -> Answer:
        """Runs it in the folder, where there are no models."""
        words = [str(argument) for argument in arguments] + ["--json"] * json_
        environment = {name: value for name, value in os.environ.items() if name not in ("BNN_MODELS", "TFHE_BACKEND")}
        environment["RAYON_NUM_THREADS"] = "1"  # so that many run side by side
        line = " ".join(["bnn", *words])
        try:
            done = subprocess.run([*self.program, *words], cwd=self.folder, env=environment | variables,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST, check=False)
        except subprocess.TimeoutExpired as error:
            raise Fault(f"{line}: not done after {LONGEST} s") from error
        self.runs.append(done.returncode)
        text, errors = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        if done.returncode not in (0, 1) or "panicked" in errors:
            raise Fault(f"{line}: exit code {done.returncode}: {errors.strip()}")
        return Answer(line, text, _refusal(line, errors, json_) if done.returncode else "")


def _refusal(line: str, errors: str, json_: bool) -> str:
    """The last line of stderr."""
    last = (errors.splitlines() or [""])[-1]
    try:
        message = json.loads(last)["error"] if json_ else last.removeprefix("bnn: ")
    except (ValueError, KeyError, TypeError) as error:
        raise Fault(f"{line}: the last line of stderr is no object of an error: {errors.strip()}") from error
    if not message or not message.isprintable():
        raise Fault(f"{line}: a refusal of no line, or of several: {message!r}")
    return message
