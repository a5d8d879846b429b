"""Outcomes as columns: equal values, however they are stored, and roots that depend on the values alone."""

import random
from itertools import pairwise

import pytest

from sandbox.core.finish import Outcome
from sandbox.record.columns import (
    BLOCK,
    MEASURES,
    Packed,
    column,
    halves,
    joined,
    leaves,
    of_outcomes,
    pack,
    pieces_of_chunk,
    pieces_of_rows,
    repeated,
    unpack,
    values,
)

HEX = "0f" * 32
COLUMNS = [
    [0, 1, 2], [-128, 127], [-129, 127], [2**31, -1], [2**63 - 1, -(2**63)], [2**64, 1], [True, False], [5, 5, 5],
    [0.0, -0.0], [0.1, 0.2], [1.0, 1.0], [float("inf"), 1.5], [1, 1.0], [None, 3], [None, None], ["a", "b"], ["a", "a"],
    [HEX, "ab" * 32], [HEX.upper(), HEX], ["0 " * 32, HEX], ["", HEX], [HEX, None], ["ü\ud800", "x"], [HEX, HEX],
]  # fmt: skip


def outcome(number: int, dice: random.Random) -> Outcome:
    won = dice.random() < 0.7
    error = "it was down" if dice.random() < 0.05 else None
    return Outcome(
        "web", 100 + number, won, "completed" if won else "tick limit", dice.randrange(300),
        dice.randrange(300) if won else None, dice.random(), 1, 2, 0, number % 3, 0.25,
        "" if error else f"{number:064x}", error, fallbacks=number % 2, autonomy=dice.choice([None, 1.0, 0.5]),
    )  # fmt: skip


def exact(values: list) -> list:
    return [(type(value), repr(value)) for value in values]


@pytest.mark.parametrize("given", COLUMNS, ids=repr)
def test_a_column_is_read_as_it_was_written(given):
    (again,) = unpack(pack([column(given)]), 1, len(given))
    expected = [int(value) if isinstance(value, bool) else value for value in given]
    assert exact(values(again)) == exact(values(column(given))) == exact(expected)
    assert pack([again]) == pack([column(given)]) == pack([joined([column(given[:1]), column(given[1:])])])


@pytest.mark.parametrize("value", [0, 1.0, "web", None, HEX])
def test_a_repeated_value_is_that_column(value):
    assert exact(values(repeated(value, 3))) == exact([value] * 3)
    if value != HEX:  # a column of hashes is never made in this way
        assert pack([repeated(value, 3)]) == pack([column([value] * 3)])


def test_outcomes_are_packed_and_counted():
    given = [outcome(k, random.Random(k)) for k in range(50)]
    packed = Packed.of(of_outcomes(given))
    assert packed.outcomes == given
    assert Packed.of(dict(reversed(of_outcomes(given).items()))) == packed
    assert packed[:4] == (
        50, sum(each.success for each in given), sum(each.error is not None for each in given),
        sum(each.fallbacks for each in given if each.error is None),
    )  # fmt: skip
    for name, other in {"successes": 99, "errors": 99, "fallbacks": 99, "hash": "00"}.items():
        with pytest.raises(ValueError, match="a chunk"):
            packed._replace(**{name: other}).columns(MEASURES)


def test_damaged_bytes_are_no_columns():
    whole = pack([column([1, 2, 300]), column(["a", "b", None]), column([HEX] * 3)])
    for at in range(len(whole)):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
            try:
                found = unpack(damaged, 3, 3)
            except (ValueError, TypeError):
                continue
            assert all(len(each) == 3 for each in found)
    for head in (
        '["<i8"]',
        '["O"]',
        '[{"each":[1]}]',
        "[{}]",
        '[{"all":[]}]',
        "{}",
        "[null]",
        "[" * 100_000,
        '["<i2","<i2"]',
    ):
        with pytest.raises((ValueError, TypeError)):
            unpack(len(head).to_bytes(4, "little") + head.encode() + b"\0\0", 1, 3)


def test_leaves_depend_on_the_values_and_not_on_the_chunks():
    """In whole blocks, in pieces of any size, as rows; with a gap, and with answers."""
    dice = random.Random(3)
    trials = [outcome(k, dice) for k in range(2 * BLOCK + 100)]
    names, _ = halves(MEASURES)
    kept = [2 + MEASURES.index(name) for name in names]
    asked = {(0, 5): "aa", (0, BLOCK): "bb"}

    def of_chunks(bounds: list[int], gaps: set[int] = frozenset(), noted: bool = True) -> list[bytes]:
        def pieces():
            for start, stop in pairwise(bounds):
                if start not in gaps:
                    columns = of_outcomes(trials[start:stop])
                    hash = Packed.of(columns).hash if noted else ""
                    yield from pieces_of_chunk(
                        0, start, stop, hash, lambda columns=columns: [columns[name] for name in names]
                    )

        return list(leaves(pieces(), asked))

    rows = [(0, k, *each) for k, each in enumerate(trials)]
    blocks = [0, BLOCK, 2 * BLOCK, len(trials)]
    expected = of_chunks(blocks)
    assert len(expected) == 3 and expected == of_chunks(blocks, noted=False)
    assert expected == list(leaves(pieces_of_rows(rows, kept), asked))
    for _ in range(5):
        assert of_chunks(sorted({0, len(trials), *dice.sample(range(len(trials)), 9), BLOCK - 1})) == expected
    gap = of_chunks([0, 10, 20, *blocks[1:]], {10})
    assert gap == list(leaves(pieces_of_rows(rows[:10] + rows[20:], kept), asked)) and gap[1:] == expected[1:]
    assert gap[0] != expected[0] != list(leaves(pieces_of_rows(rows, kept), {}))[0]
