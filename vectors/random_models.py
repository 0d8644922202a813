#!/usr/bin/env python3
"""Random models, right and nearly right, through every command, against the numpy reading of docs/formats.md.

    python3 vectors/random_models.py --bnn target/release/bnn              # some 40 s on two cores
    python3 vectors/random_models.py --bnn target/release/bnn --seed 7 --count 1000
    python3 vectors/random_models.py --bnn target/release/bnn --self-test  # alters what is compared, and must notice

Each model gives equal scores or is refused on one line that names what is wrong; anything else, a panic above all, is
a failure: the folder is kept, the exit code is 1, and `--seed S --only I` tries that model again. Needs Python 3.11
or later and numpy.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
# Models are tried side by side, each on one core.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

try:
    import numpy  # noqa: F401
except ImportError:
    sys.exit("random_models.py: needs numpy (pip install numpy, or the package python3-numpy)")

from generator import draw, trial  # noqa: E402
from generator.command import Bnn, Fault  # noqa: E402
from reference import network  # noqa: E402

# Encrypted runs by engine.
RUNS = {"functional": 6, "gates": 3}


def main() -> int:
    parser = argparse.ArgumentParser(description="Random models through every command, against a numpy reading.")
    parser.add_argument("--bnn", type=Path, metavar="PATH", required=True, help="the command")
    parser.add_argument("--count", type=int, metavar="N", default=150, help="models to try (default: 150)")
    parser.add_argument("--seed", type=int, metavar="S", default=1, help="what they are drawn from (default: 1)")
    parser.add_argument("--only", type=int, metavar="I", help="only the model of this number")
    parser.add_argument("--self-test", action="store_true", help="alter what is compared; it must be noticed")
    arguments = parser.parse_args()
    if network.tomllib is None:
        print("skipped: manifest.toml needs Python 3.11 or later")
        return 0
    if not arguments.bnn.is_file():
        parser.error(f"{arguments.bnn}: there is no such file")
    folder = Path(tempfile.mkdtemp(prefix="random-models-"))
    try:
        (self_test if arguments.self_test else check)(arguments, folder)
    except Fault as fault:
        print(f"FAILED: {fault}\nkept: {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


def shared(program: list[str], folder: Path) -> trial.Shared:
    # Where the command runs there are no models.
    for name in ("empty", "keys"):
        (folder / name).mkdir(exist_ok=True)
    return trial.Shared(Bnn(program, folder / "empty"), folder / "keys", dict(RUNS))


def check(arguments, folder: Path) -> None:
    common = shared([str(arguments.bnn.resolve())], folder)
    numbers = range(arguments.count) if arguments.only is None else [arguments.only]
    made, results = {}, {}

    def try_one(number: int) -> None:
        name = f"model-{number}"
        try:
            made[name] = trial.make(arguments.seed, number, folder / "models" / name)
            rng = random.Random(f"{arguments.seed} {number} pictures")
            results[name] = trial.Trial(common, folder / "models" / name, made[name], rng).run()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is said of which model
            what = str(error) if isinstance(error, Fault) else f"{type(error).__name__}: {error}"
            wrong = made[name].fault if name in made and made[name].fault else "right"
            raise Fault(f"seed {arguments.seed}, model {number} ({wrong}): {what}") from error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for _ in pool.map(try_one, numbers):
                pass
        except Fault:
            pool.shutdown(cancel_futures=True)
            raise
    trial.check_list(common.bnn, folder / "models", made, {name: result.refused for name, result in results.items()})
    refused = sum(result.refused for result in results.values())
    equal, encrypted = (sum(getattr(result, what) for result in results.values()) for what in ("equal", "encrypted"))
    print(f"seed {arguments.seed}: {len(made)} models: {len(made) - refused} with equal scores ({equal} pictures, "
          f"{encrypted} encrypted runs), {refused} refused by name; {len(common.bnn.runs)} commands run")


def self_test(arguments, folder: Path) -> None:
    """Alters a score, a label and a bit; calls a right model wrong, and a wrong one right; and has a command that dies."""
    program = str(arguments.bnn.resolve())
    common = shared([program], folder)
    noticed: list[str] = []

    def must_notice(what: str, number: int, common: trial.Shared, alter: str = "", **fields) -> None:
        place = folder / "models" / what.replace(" ", "-")
        made = trial.make(arguments.seed, number, place)
        for name, value in fields.items():
            setattr(made, name, value)
        try:
            trial.Trial(common, place, made, random.Random(what), alter).run()
        except Fault:
            noticed.append(what)
            return
        raise Fault(f"self-test: {what}: what was altered passes")

    right, wrong = _numbers(arguments.seed, folder)
    for alter in ("score", "label", "bit"):
        must_notice(f"another {alter}", right, common, alter)
    must_notice("a right model called wrong", right, common, fault="none", names=["none"])
    must_notice("a wrong model called right", wrong, common, fault="")
    must_notice("a refusal that names something else", wrong, common, names=["no such name"])
    for code in (101, 134, 2):
        dying = shared([sys.executable, "-c", f"import sys; sys.exit({code})"], folder)
        must_notice(f"exit code {code}", right, dying)
    silent = shared([sys.executable, "-c", "import sys; sys.exit(1)"], folder)
    must_notice("a failure without a word", right, silent)
    print(f"{len(noticed)} alterations noticed")


def _numbers(seed: int, folder: Path) -> tuple[int, int]:
    """A model of several classes that accepts every picture, and one that has a tensor too many."""
    right = wrong = None
    for number in range(1000):
        made = trial.make(seed, number, folder / "looked-at" / str(number))
        if not made.fault and made.input["encoding"] == "grey" and made.layers[-1].get("outputs", 1) > 1:
            right = number if draw.ranges(made)[0] == "fits" else right
        elif made.fault == "tensor too many":
            wrong = number if draw.ranges(made)[0] == "fits" else wrong
        if right is not None and wrong is not None:
            return right, wrong
    raise Fault(f"seed {seed}: none of 1000 models serves the self-test")


if __name__ == "__main__":
    sys.exit(main())
