#!/usr/bin/env python3
"""Recomputes the known-answer vectors without any of the project's Rust, and prints a table of what agrees.

    python3 vectors/check.py                # needs Python 3.9 or later and numpy; under a minute on one core
    python3 vectors/check.py steps.json     # only these files
    python3 vectors/check.py --self-test    # alters values in memory and demands that every check notices

`reference/` is the scheme, written a second time from its definitions; `checks/` says what in a vector file is
what. The exit code is 1 if anything fails. What is not recomputed is listed as such.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
# One core, also in numpy's matrix products; they read this when numpy is loaded.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

try:
    import numpy  # noqa: F401
except ImportError:
    sys.exit("check.py: needs numpy (pip install numpy, or the package python3-numpy)")

from checks import bootstraps, documents, native_files, networks, steps, sums, tfhe_lib, tfhe_lib_written, toy  # noqa: E402
from checks.vector import Skipped, altered, difference, read, tolerance_difference  # noqa: E402

FOLDER = Path(__file__).resolve().parent
# Beside the source tree, where it is there.
LIBRARY_FOLDER = FOLDER / "tfhe-lib"

# The checks of each file's vectors, by the vector's name.
FILES = {
    "steps.json": steps.CHECKS,
    "native-files.json": native_files.CHECKS,
    "toy.json": toy.CHECKS,
    "bootstraps.json": bootstraps.CHECKS,
    "networks.json": networks.CHECKS,
}

# The formulas of the tolerances that cases have.
TOLERANCES = {**toy.TOLERANCES, **bootstraps.TOLERANCES}


@dataclass
class Row:
    """A line of the table: of its cases, how many there are of each result."""

    file: str
    what: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""  # the first failure, or why nothing was done

    def result(self) -> str:
        if self.failed:
            return f"FAILED ({self.failed}): {self.note}"
        if self.skipped:
            return f"passed, {self.skipped} {self.note}" if self.passed else self.note
        return "passed"

    def add(self, case, check, *arguments):
        """Calls `check`, which says what is wrong, if anything."""
        try:
            problem = check(*arguments)
        except Skipped as why:
            self.skipped += 1
            self.note = self.note or f"skipped: {why}"
            return
        except Exception as error:  # noqa: BLE001 - a case that cannot be recomputed is a failed case
            problem = f"{type(error).__name__}: {error}"
        if problem is None:
            self.passed += 1
        else:
            if not self.failed:
                self.note = f"{case}: {problem}"
            self.failed += 1


def check_file(name: str) -> Iterator[Row]:
    """A row for each vector of a file."""
    checks, vectors = FILES[name], read(FOLDER / name)
    for vector in vectors:
        row, check = Row(name, vector["name"]), checks.get(vector["name"])
        if not vector["cases"]:
            row.failed, row.note = 1, "no case"
        elif check is None:
            row.skipped, row.note = len(vector["cases"]), "not recomputed"
        for number, case in enumerate(vector["cases"] if check else ()):
            row.add(f"case {number}", _check, difference, case["outputs"], check, case["inputs"])
        yield row
        if vector["name"] in TOLERANCES or any("tolerance" in case for case in vector["cases"]):
            yield _tolerances(name, vector["name"], vector["cases"])
    for missing in sorted(set(checks) - {vector["name"] for vector in vectors}):
        yield Row(name, missing, failed=1, note="the file has no such vector")


def _check(compare, expected, function, inputs) -> str | None:
    return compare(expected, function(inputs))


def _tolerances(name: str, vector: str, cases) -> Row:
    """A tolerance that is too wide would make a check of the Rust pass whatever it finds."""
    row, formula = Row(name, f"{vector}, tolerances"), TOLERANCES.get(vector)
    if formula is None:
        row.skipped, row.note = len(cases), "not recomputed"
    for number, case in enumerate(cases if formula else ()):
        row.add(f"case {number}", _check, tolerance_difference, case.get("tolerance", {}), formula, case["inputs"])
    return row


def self_test(name: str) -> Iterator[Row]:
    """For the last case of each vector: alters every output, and an input, and sees whether that is noticed."""
    checks = FILES[name]
    for vector in read(FOLDER / name):
        check = checks.get(vector["name"])
        if check is None:
            continue
        row, case = Row(name, vector["name"]), vector["cases"][-1]
        try:
            found = check(case["inputs"])
        except Skipped as why:
            row.skipped, row.note = 1, f"skipped: {why}"
            yield row
            continue
        for output in case["outputs"]:
            changed = {**case["outputs"], output: altered(case["outputs"][output])}
            row.add(output, _must_differ, difference(changed, found))
        for output, value in case.get("tolerance", {}).items():
            changed = {**case["tolerance"], output: 2 * value}
            formula = TOLERANCES[vector["name"]]
            noticed = tolerance_difference(changed, formula(case["inputs"]))
            row.add(f"tolerance of {output}", _must_differ, noticed)
        row.add("inputs", _must_differ, _notices_inputs(check, case))
        yield row


def _must_differ(noticed) -> str | None:
    return None if noticed else "what was altered passes"


def _notices_inputs(check, case) -> bool:
    """Whether altering some input, from the last to the first, changes what is computed.

    In the first digit: lower ones may be lost in rounding.
    """
    for name, value in reversed(list(case["inputs"].items())):
        try:
            if difference(case["outputs"], check({**case["inputs"], name: altered(value, 0)})):
                return True
        except Exception:  # noqa: BLE001 - refusing an altered input is noticing it
            return True
    return False


def rows(arguments) -> Iterator[Row]:
    for name in arguments.files or [*FILES, *OTHERS]:
        try:
            if name in FILES:
                yield from (self_test if arguments.self_test else check_file)(name)
            else:
                yield from OTHERS[name](arguments)
        except (OSError, ValueError, KeyError) as error:
            yield Row(name, "reading it", failed=1, note=f"{type(error).__name__}: {error}")


def _sums(arguments) -> Iterator[Row]:
    row = Row("SHA256SUMS", "every file and its sum")
    for case, check in sums.cases(FOLDER, arguments.self_test):
        row.add(case, check)
    yield row


def _documents(arguments) -> Iterator[Row]:
    row = Row("docs", "figures")
    for case, check in documents.cases(FOLDER, arguments.self_test):
        row.add(case, check)
    yield row


def _tfhe_lib(arguments) -> Iterator[Row]:
    row = Row("tfhe-lib", "written.json")
    for case, check in tfhe_lib_written.cases(FOLDER / "tfhe-lib", arguments.self_test):
        row.add(case, check)
    yield row
    for folder in (FOLDER / "tfhe-lib", arguments.tfhe_lib):
        for what, cases in tfhe_lib.groups(folder, arguments.self_test):
            row = Row(folder.name, what)
            for case, check in cases:
                row.add(case, check)
            yield row


# What is not a file of vectors.
OTHERS = {"SHA256SUMS": _sums, "docs": _documents, "tfhe-lib": _tfhe_lib}


def main() -> int:
    parser = argparse.ArgumentParser(description="Recomputes the known-answer vectors without the project's Rust.")
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"only these, of: {', '.join([*FILES, *OTHERS])}")
    parser.add_argument("--self-test", action="store_true", help="alter values in memory; every check must notice")
    parser.add_argument("--tfhe-lib", type=Path, metavar="DIR", default=LIBRARY_FOLDER,
                        help="files made by the TFHE library (default: those of this folder)")
    parser.add_argument("--page", action="store_true", help="print one NAND of the toy set, step by step, and end")
    arguments = parser.parse_args()
    if arguments.page:
        print(toy.page(read(FOLDER / "toy.json")))
        return 0
    unknown = set(arguments.files) - set(FILES) - set(OTHERS)
    if unknown:
        parser.error(f"no file {', '.join(sorted(unknown))}; there are {', '.join([*FILES, *OTHERS])}")

    print(f"{'file':<18} {'what':<28} {'cases':>6} {'seconds':>8}  result")
    total, start = Row("", ""), time.process_time()
    for row in rows(arguments):
        cases, seconds = row.passed + row.failed + row.skipped, time.process_time() - start
        print(f"{row.file:<18} {row.what:<28} {cases:>6} {seconds:>8.1f}  {row.result()}", flush=True)
        total.passed, total.failed = total.passed + row.passed, total.failed + row.failed
        total.skipped, start = total.skipped + row.skipped, time.process_time()
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
