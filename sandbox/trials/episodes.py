"""Many seeds of one scenario: on lanes where every reasoner is compiled, else one hosted trial after the other.

The outcomes are the same in both ways, to the last digit; only their ``seconds`` differ.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence

import numpy as np

from sandbox.core.finish import Finish, Outcome
from sandbox.engine.stage import Stage
from sandbox.scenario import Scenario
from sandbox.trials.trial import run

LANE_BYTES = 64 << 20  # memory that the lanes of one call may take
LANES = 1024  # at most


def outcomes(scenario: Scenario, stage: Stage, seeds: Sequence[int]) -> Iterator[Outcome]:
    """The outcome for each seed, in order; ``stage`` is the scenario's own. Trouble inside a trial is its outcome."""
    if not scenario.compiled:
        yield from (run(scenario, seed) for seed in seeds)
        return
    lanes = lanes_at_once(stage)
    for start in range(0, len(seeds), lanes):
        yield from _compiled(scenario, stage, seeds[start : start + lanes])


def lanes_at_once(stage: Stage) -> int:
    """How many lanes fit into the memory that one call may take."""
    parts = (stage.allocate(1), stage.memory(1), stage.observation(1))
    one = sum(field.nbytes for part in parts for field in part)
    return max(1, min(LANES, LANE_BYTES // one))


def _compiled(scenario: Scenario, stage: Stage, seeds: Sequence[int]) -> Iterator[Outcome]:
    started = time.perf_counter()
    state, tally, _ = stage.play(seeds, [group.policy for group in scenario.team()])
    digests = _digests(state)
    seconds = round((time.perf_counter() - started) / len(seeds), 6)
    for lane, seed in enumerate(seeds):
        finish, ticks = Finish(state.done[lane]), int(state.tick[lane])
        success = finish == Finish.COMPLETED
        done, total = stage.task.progress(state, lane)
        yield Outcome(
            stage.world.name, seed, success, finish.words, ticks, ticks if success else None,
            float(tally.reward[lane].sum()), done, total, int(tally.invalid[lane].sum()),
            int(tally.refused[lane].sum()), seconds, digests[lane],
        )  # fmt: skip


def _digests(state) -> list[str]:
    """The digest of every lane, as ``engine.lanes`` has it, in one pass over the arrays."""
    parts = [field.reshape(len(field), field[0].size).view(np.uint8) for field in state]
    return [hashlib.sha256(row).hexdigest() for row in np.concatenate(parts, axis=1)]
