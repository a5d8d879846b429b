"""Many seeds of one scenario: on lanes if every reasoner is compiled, else one hosted trial after the other.

The outcomes are the same in both ways, to the last digit; only their ``seconds`` differ.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sandbox.core.finish import Finish, Outcome
from sandbox.engine.digests import digests
from sandbox.engine.environment import Environment
from sandbox.record import Event
from sandbox.record.columns import BLOCK, MEASURES, Packed, joined, of_outcomes, repeated
from sandbox.record.table import pack
from sandbox.running.recorded_answers import ANSWERS
from sandbox.running.trial import OnEvent, measured, run, warm
from sandbox.scenario import Scenario

LANE_BYTES = 64 << 20  # memory of the lanes of one call, at most
LANES = BLOCK  # at most


class Played(NamedTuple):
    """The results of some trials."""

    found: Packed
    asked: dict[int, bytes]  # answers in a trial, by its place; empty without questions, or if answers are not kept

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcome of each trial."""
        return self.found.outcomes


def play(scenario: Scenario, env: Environment, seeds: Sequence[int]) -> Played:
    """The trial of each seed, in order; ``env`` is the scenario's own. An error inside a trial becomes its outcome."""
    if scenario.compiled:
        return Played(Packed.of(_lanes(scenario, env, seeds)), {})
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
    return Played(Packed.of(of_outcomes(found)), asked)


def _lanes(scenario: Scenario, env: Environment, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """The columns of the outcomes."""
    lanes, parts = lanes_at_once(env), []
    for first in range(0, len(seeds), lanes):
        some = seeds[first : first + lanes]
        try:
            parts.append(_compiled(scenario, env, some))
        except Exception:  # one of these trials fails: play each alone to find it
            parts.append(of_outcomes([_hosted(scenario, seed) for seed in some]))
    return parts[0] if len(parts) == 1 else {name: joined([part[name] for part in parts]) for name in MEASURES}


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


def _compiled(scenario: Scenario, env: Environment, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    warm(scenario, env, True)
    started = time.perf_counter()
    state, stats = env.play(seeds, [group.policy for group in scenario.roster()])
    alike = {
        **Outcome._field_defaults, "world": env.world.name, "autonomy": 1.0,
        "seconds": round((time.perf_counter() - started) / len(seeds), 6),
    }  # fmt: skip
    # Other measures have their defaults: compiled policies ask no model and make all decisions.
    return {
        **{name: repeated(value, len(seeds)) for name, value in alike.items()},
        **measured(state.done, state.tick, stats), "seed": state.seed.astype(np.int64), "digest": digests(state),
    }  # fmt: skip
