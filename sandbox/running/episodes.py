"""Many seeds of one scenario: on lanes if every reasoner is compiled, else one hosted trial after the other.

The outcomes are the same in both ways, to the last digit; only their ``seconds`` differ.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.finish import Finish, Outcome
from sandbox.core.world import digested
from sandbox.engine.environment import Environment
from sandbox.record import Event
from sandbox.record.table import pack
from sandbox.running.recorded_answers import ANSWERS
from sandbox.running.trial import OnEvent, measured, run, warm
from sandbox.scenario import Scenario

LANE_BYTES = 64 << 20  # memory of the lanes of one call, at most
LANES = 1024  # at most


class Played(NamedTuple):
    """The results of some trials."""

    outcomes: list[Outcome]
    asked: dict[int, bytes]  # answers in a trial, by its place; empty without questions, or if answers are not kept


def play(scenario: Scenario, env: Environment, seeds: Sequence[int]) -> Played:
    """The trial of each seed, in order; ``env`` is the scenario's own. An error inside a trial becomes its outcome."""
    if scenario.compiled:
        return Played(_lanes(scenario, env, seeds), {})
    found: list[Outcome] = []
    asked: dict[int, bytes] = {}
    for place, seed in enumerate(seeds):
        answers: list[Event] = []

        def keep(event: Event, answers: list[Event] = answers) -> None:
            if event.kind in ANSWERS:
                answers.append(event)

        found.append(_hosted(scenario, seed, keep))
        if scenario.trials.keep_calls and (packed := pack(answers)):
            asked[place] = packed
    return Played(found, asked)


def _lanes(scenario: Scenario, env: Environment, seeds: Sequence[int]) -> list[Outcome]:
    lanes, found = lanes_at_once(env), list[Outcome]()
    for first in range(0, len(seeds), lanes):
        some = seeds[first : first + lanes]
        try:
            found += _compiled(scenario, env, some)
        except Exception:  # one of these trials fails: play each alone to find it
            found += [_hosted(scenario, seed) for seed in some]
    return found


def lanes_at_once(env: Environment) -> int:
    """The number of lanes that fit into the memory of one call."""
    parts = (env.allocate(1), env.memory(1), env.observation(1))
    one = sum(field.nbytes for part in parts for field in part)
    return max(1, min(LANES, LANE_BYTES // one))


def broken(scenario: Scenario, seed: int, error: str) -> Outcome:
    """The outcome of a trial that could not be played: an infrastructure error."""
    return Outcome(scenario.world.name, seed, False, Finish.ERROR.words, 0, None, 0.0, 0, 0, 0, 0, 0.0, "", error)


def _hosted(scenario: Scenario, seed: int, on_event: OnEvent | None = None) -> Outcome:
    try:
        return run(scenario, seed, on_event=on_event)
    except Exception as error:
        return broken(scenario, seed, f"{type(error).__name__}: {error}")


def _compiled(scenario: Scenario, env: Environment, seeds: Sequence[int]) -> Iterator[Outcome]:
    warm(scenario, env, True)
    started = time.perf_counter()
    state, stats = env.play(seeds, [group.policy for group in scenario.roster()])
    seconds = round((time.perf_counter() - started) / len(seeds), 6)
    columns = {
        **measured(state.done, state.tick, stats), "world": repeat(env.world.name), "seed": seeds,
        "seconds": repeat(seconds), "digest": _digests(state), "autonomy": repeat(1.0),
    }  # fmt: skip
    # Other fields keep their defaults: compiled policies ask no model and make all decisions.
    ordered = (columns.get(name) or repeat(Outcome._field_defaults[name]) for name in Outcome._fields)
    return map(Outcome._make, zip(*ordered, strict=False))


def _digests(state: Any) -> list[str]:
    """The digest of every lane, equal to that of ``engine.arrays``, in one pass over the arrays."""
    fields = (getattr(state, name) for name in digested(type(state)))
    parts = [field.reshape(len(field), field[0].size).view(np.uint8) for field in fields]
    return [hashlib.sha256(row).hexdigest() for row in np.concatenate(parts, axis=1)]
