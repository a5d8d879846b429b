"""Termination conditions: the algebra is Python's own, the kernel is its twin, and what does not read is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.engine.coordination.stopping import DEEPEST, MEASURES, MOST_ASKED, Measure, met
from sandbox.teams import stopping
from sandbox.teams.stopping import Condition, all_tasks, parse, predicate, stall, ticks, word

CODES = {
    "all_tasks": Finish.COMPLETED, "ticks": Finish.TICK_LIMIT, "messages": Finish.BUDGET, "stall": Finish.STALLED,
    "tokens": Finish.BUDGET, "money": Finish.BUDGET, "seconds": Finish.BUDGET, "word": Finish.STOPPED,
}  # fmt: skip
PLACES = {name: k for k, name in enumerate(("all_tasks", "ticks", "messages", "stall", "tokens", "money", "seconds"))}
LEAVES = st.one_of(
    st.just("all_tasks"),
    st.builds("{}({})".format, st.sampled_from(sorted(PLACES.keys() - {"all_tasks"})), st.integers(1, 3)),
)
TEXTS = st.recursive(LEAVES, lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("&|"), inner))
SEEN = st.lists(st.integers(0, 3), min_size=len(PLACES), max_size=len(PLACES))


class Twin:
    """A condition as Python has it: truth, joined by ``and`` and ``or``, which return the code that decided."""

    def __init__(self, code):
        self.code = code

    def __and__(self, other):
        return Twin(self.code and other.code)

    def __or__(self, other):
        return Twin(self.code or other.code)


def twin(text: str, seen: list[int]) -> int:
    def leaf(name):
        return lambda n=1: Twin(CODES[name] if seen[PLACES[name]] >= n else 0)

    names = {name: leaf(name) for name in PLACES} | {"all_tasks": leaf("all_tasks")()}
    return eval(text, {"__builtins__": {}}, names).code


def finish(condition: Condition, **seen: float) -> int:
    measures = np.zeros(MEASURES)
    for name, value in seen.items():
        measures[Measure[name.upper()]] = value
    return Finish(met(condition.program, measures))


@given(TEXTS, SEEN)
def test_the_kernel_says_what_and_and_or_say(text, seen):
    try:
        condition = parse(text)
    except UsageError as error:
        assert "deep" in str(error)
        return
    measures = np.zeros(MEASURES)
    measures[: len(seen)] = seen
    assert met(condition.program, measures) == met.py_func(condition.program, measures) == twin(text, seen)
    assert condition.hosted_only == any(name in text for name in ("tokens", "money", "seconds"))


@pytest.mark.parametrize("name", CODES)
def test_each_condition_ends_with_its_own_reason(name):
    value = "" if name == "all_tasks" else "('x')" if name == "word" else "(2)"
    condition, measure = parse(name + value), "asked" if name == "word" else name
    assert finish(condition, **{measure: 2}) == CODES[name]
    assert finish(condition, **{measure: 0.5}) == Finish.RUNNING


def test_and_binds_closer_than_or():
    condition = all_tasks() | ticks(200) & stall(50)
    assert (condition.program == parse("all_tasks | ticks(200) & stall(50)").program).all()
    assert finish(condition, ticks=200) == Finish.RUNNING
    assert finish(condition, ticks=200, stall=50) == Finish.STALLED  # the last one that was needed
    assert finish(condition, ticks=200, stall=50, all_tasks=1) == Finish.COMPLETED  # the first that is written


def test_every_word_and_every_predicate_has_a_measure_of_its_own():
    def found(model):
        return model == "found"

    condition = word("red") & word("blue") | predicate(found)
    assert condition.asked == ("red", "blue", found) and condition.hosted_only
    for seen, code in (([1, 0, 0], 0), ([0, 1, 0], 0), ([1, 1, 0], Finish.STOPPED), ([0, 0, 1], Finish.STOPPED)):
        measures = np.zeros(MEASURES)
        measures[Measure.ASKED : Measure.ASKED + 3] = seen
        assert met(condition.program, measures) == code


def test_what_says_nothing_changes_nothing():
    empty, some = parse("  "), ticks(3)
    assert met(empty.program, np.full(MEASURES, 9.0)) == Finish.RUNNING and not empty.hosted_only
    for joined in (empty | some, some | empty, empty & some, some & empty):
        assert joined.steps == some.steps


def test_deep_and_many_are_refused():
    nested = ticks(1)
    for _ in range(DEEPEST - 1):
        nested = ticks(1) & nested
    assert finish(nested, ticks=1) == Finish.TICK_LIMIT and finish(nested) == Finish.RUNNING
    with pytest.raises(UsageError, match=f"nested {DEEPEST + 1} deep"):
        ticks(1) & nested
    many = word("0")
    for k in range(1, MOST_ASKED):
        many = many | word(str(k))
    with pytest.raises(UsageError, match="17 words and predicates, expected 16 at most"):
        many | word("more")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ticks(9) | stal(3)", "team.stop: column 12: unknown condition 'stal'; did you mean 'stall'?"),
        ("ticks(9) | stall", "column 12: stall, expected stall(one value)"),
        ("ticks(9, 10)", "column 1: ticks(9, 10), expected ticks(one value)"),
        ("ticks(n=9)", "expected ticks(one value)"),
        ("ticks(-9)", "column 1: ticks(-9), expected ticks(one value)"),
        ("all_tasks(3)", "all_tasks(3), expected all_tasks"),
        ("ticks(0)", "ticks(0), expected a number from 1 on"),
        ("ticks('9')", "ticks('9'), expected a number from 1 on"),
        ("ticks(True)", "ticks(True), expected a number from 1 on"),
        ("word('')", "word(''), expected a text"),
        ("not all_tasks", "column 1: expected a condition, such as stall(50)"),
        ("all_tasks and ticks(3)", "joined to others by & or |"),
        ("3", "column 1: expected a condition"),
        ("__import__('os').system('ls')", "expected a condition"),
        ("predicate(print)", "unknown condition 'predicate'"),
        ("ticks(", "expected such as"),
        ("(" * 300 + "all_tasks" + ")" * 300, "expected such as"),
        ("ticks(9)\x00", "expected such as"),
    ],
)
def test_what_does_not_read_is_one_clear_line(text, told):
    with pytest.raises(UsageError) as error:
        parse(text)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_all_conditions_are_told_of():
    assert set(stopping.NAMES) == set(CODES) and all(each.__doc__ for each in stopping.NAMES.values())
