"""The figures of docs/formats.md: its example of a file, and its table of sizes."""

from __future__ import annotations

import re
from pathlib import Path

from reference import chacha20, keys, native_file
from reference.parameters import SETS

from . import keys as known


def cases(folder: Path, testing: bool):
    """When testing, the document is altered first, and each check must fail."""
    text = (folder.parent / "docs" / "formats.md").read_text(encoding="utf-8")

    def check(part):
        problem = part(re.sub(r"3769 eb09|404|168 \+ 4 c", "0000", text) if testing else text)
        if testing:
            return None if problem else "an altered document passes"
        return problem

    yield "example", lambda: check(_example)
    yield "sizes", lambda: check(_sizes)


def _example(text: str) -> str | None:
    """Three bits under GATES_DEFAULT from the seeds 1 (key) and 3 (bits); the dump shows no bodies, so any bits do."""
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
