"""Figures of the documents: of docs/formats.md the example and the sizes, of docs/parameters.md the noise."""

from __future__ import annotations

import math
import re
from pathlib import Path

from reference import chacha20, keys, native_file, noise
from reference.parameters import SETS

from . import keys as known


def cases(folder: Path, testing: bool):
    """When testing, a document is altered first, and each check must fail."""
    def check(name, part, figure):
        text = (folder.parent / "docs" / name).read_text(encoding="utf-8")
        if figure not in text:
            return f"{name} has no figure {figure} any more"
        problem = part(text.replace(figure, "0000") if testing else text)
        if testing:
            return None if problem else "an altered document passes"
        return problem

    yield "formats.md, example", lambda: check("formats.md", _example, "3769 eb09")
    yield "formats.md, sizes", lambda: check("formats.md", _sizes, "11,876,516")
    yield "parameters.md, noise", lambda: check("parameters.md", _noise, "2^-14.394")


def _example(text: str) -> str | None:
    """Three bits under GATES_DEFAULT, from the seeds 1 (key) and 3; the dump shows no bodies, so any bits do."""
    lines = re.findall(r"^[0-9a-f]{8}: ((?:[0-9a-f]{4} )+)", text, re.MULTILINE)
    shown = bytes.fromhex("".join(lines).replace(" ", ""))
    secret, seed = known.secret("GATES_DEFAULT", 1), chacha20.test_seed(3)
    p = secret.parameters
    bodies = keys.lwe_bodies(secret.wire, keys.encode_bits((1, 0, 1)), p.fresh_deviation, seed)
    file = native_file.seeded(p, secret.id, chacha20.mask_seed(seed), bodies)
    if len(file) != 180 or len(shown) < 112:
        return f"{len(file)} bytes, of which {len(shown)} are shown"
    return None if file.startswith(shown) else "other bytes"


def _sizes(text: str) -> str | None:
    """Of whole files: 132 bytes around the body."""
    def row(title: str) -> list[str]:
        line = re.search(rf"^\| {re.escape(title)} *\|(.*)\|$", text, re.MULTILINE)
        return [cell.strip().replace(",", "") for cell in line.group(1).split("|")] if line else []

    sets = [name.strip("`") for name in row("")]
    if set(sets) != set(SETS):
        return f"columns {sets}"
    for number, name in enumerate(sets):
        p = SETS[name]
        rows = p.n // p.step * len(p.patterns) * (p.k + 1) * p.levels
        expected = {
            "secret key": str(132 + -(-p.n // 8) + -(-p.large // 8)),
            "cloud key": str(132 + 32 + rows * p.size * p.bits // 8 + 4 * p.large * p.switch_levels),
            "c seeded ciphertexts": f"{132 + 36} + 4 c",
            "c packed messages": f"{132 + 40} + 4 c" if p.switch_first else "-",
            "list of c ciphertexts": f"{132 + 4} + {8 + 4 * (p.wire + 1)} c",
        }
        for title, value in expected.items():
            found = row(title)
            if len(found) != len(sets) or found[number] != value:
                return f"{title} of {name}: {value} computed"
    return None


def _noise(text: str) -> str | None:
    """The bootstrapped deviation by formula, and the worst gate's failure, stated up to 2 bits worse."""
    for name, p in SETS.items():
        line = re.search(rf"^\| `{name}` \|(.*(?:MAJ|below).*)\|$", text, re.MULTILINE)
        if line is None:
            return f"no line of {name}"
        cells = line.group(1).split("|")
        formula, worst = (re.search(r"2\^(-[\d.]+)", cells[i]) for i in (4, 6))
        deviation, failure = math.log2(noise.bootstrapped(p)) / 2, noise.worst_gate(p)
        if formula is None or abs(float(formula.group(1)) - deviation) > 0.0006:
            return f"{name}: blind rotation {cells[4].strip()}, 2^{deviation:.3f} computed"
        within = failure < -1000 if "below" in cells[6] else -0.5 <= float(worst.group(1)) - failure < 2
        if not within:
            return f"{name}: worst gate {cells[6].strip()}, 2^{failure:.1f} computed"
    return None
