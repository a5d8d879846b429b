"""The root of a batch or certificate: one hash over all that its trials came to, which a witness notes down.

It is the root of a Merkle tree (``record.chain``). Its first leaf says what was tried: the scenario, the conditions,
the claim if there is one, and the names of the columns. Each further leaf is a trial, by condition and number: all of
its columns, and the hash of what was answered in it. All are canonical JSON.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.record.chain import merkle_root

FORMAT = 2  # of what is below; 1 was over six columns, without success and error
LEFT_OUT = ("seconds",)  # told by the clock: the same trial has others each time, and so would the root
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def batch_root(
    scenario: Mapping, conditions: Mapping[int, dict], claim: Mapping | None, columns: Sequence[str],
    rows: Iterable[Sequence], asked: Mapping[tuple[int, int], str],
) -> str:  # fmt: skip
    """The root, hexadecimal. ``rows`` have ``columns``, of which condition and trial are the first; ``asked`` has the
    hash of what was answered in a trial, by its condition and number."""
    places = [place for place, column in enumerate(columns) if column not in LEFT_OUT]
    about: dict[str, Any] = {
        "format": FORMAT, "scenario": scenario, "conditions": sorted(conditions.items()), "claim": claim,
        "columns": [columns[place] for place in places],
    }  # fmt: skip

    def leaves():
        yield _encode(about).encode()
        for row in rows:
            yield _encode([*(row[place] for place in places), asked.get(row[:2])]).encode()

    return merkle_root(leaves()).hex()
