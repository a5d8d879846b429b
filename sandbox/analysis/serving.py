"""How long K agents wait for one server of a language model, who call as the agents of recorded trials did.

A team of agents begins at a random moment of a random trial, and repeats the trial from its end on; a last team may be
cut. An agent's next call comes as long after its last one as in the record, so agents who wait call less (a closed
loop). Teams are independent: those that keep the same hours collide more than it says here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.analysis.calls import Calls
from sandbox.core.errors import UsageError, unknown
from sandbox.core.files import TOMLDecodeError, read_text, read_toml
from sandbox.engine.queueing.serving import Asked, Rates, Served, serve
from sandbox.statistics import Estimate, mean_difference

SHARES = (0.5, 0.95, 0.99)  # percentiles of latency
AGENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
SEEDS = 10
CALLS = 4_000  # of each seed, about
EXPECTED = "a server: base, each, prompt and batch (TOML)"
WARM = 0.1  # share of the time that is left out at the beginning, when the server is empty


class Server(BaseModel):
    """A server of a language model: the seconds of an iteration over a batch (``engine.queueing.serving``)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    base: float = Field(gt=0, le=1e3)  # seconds of an iteration
    each: float = Field(0.0, ge=0, le=1e3)  # seconds more for each call in the batch
    prompt: float = Field(0.0, ge=0, le=1e3)  # seconds more for each token of a prompt that is read
    batch: int = Field(64, ge=1, le=10_000)  # calls at a time, at most
    source: str = ""

    @property
    def rates(self) -> Rates:
        """As kernels need it."""
        return Rates(self.base, self.each, self.prompt, self.batch)


# Least squares by the page's rows: medians of the time of a token (20 rows) on the batch, and times to the first token
# of single calls (5 rows) on the prompt. The page's throughputs, which are not used, follow within 9 % for 128 tokens
# of output, and within 23 % for 2,048: the model has no term for the tokens that a call already has in memory.
SERVERS = {
    "llama2-70b": Server(
        base=0.0295, each=0.00023, prompt=0.000176, batch=64,
        source="Llama 2 70B on four A100, 16 bits: LMDeploy 0.1.0, docs/en/benchmark/a100_fp16.md",
    ),
}  # fmt: skip


class Point(NamedTuple):
    """Latencies with so many agents: means over seeds of the percentiles of each seed, with their intervals."""

    agents: int
    busy: float  # share of the time in which the server works
    latency: tuple[Estimate, ...]  # seconds from call to last token, for each of SHARES
    chance: tuple[Estimate, ...]  # the same of ``by_chance``


def server_of(name: str) -> Server:
    """A server by its name, or from a TOML file. Raises UsageError for one that does not exist or has other keys."""
    if not name.endswith(".toml"):
        if name not in SERVERS:
            raise UsageError(unknown("server", name, [*SERVERS, "FILE.toml"]))
        return SERVERS[name]
    text = read_text(Path(name), EXPECTED)
    try:
        return Server.model_validate(read_toml(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(f"server {name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except TOMLDecodeError as error:
        raise UsageError(f"server {name}: {error}") from None


def curve(
    trials: Sequence[Calls], server: Server, agents: Sequence[int] = AGENTS, seeds: Sequence[int] = range(SEEDS)
) -> list[Point]:  # fmt: skip
    """Latencies of each number of agents."""
    found = []
    for count in agents:
        measured = [_measured(trials, server, count, np.random.default_rng([seed, count])) for seed in seeds]
        busy, own, other = (np.array(each) for each in zip(*measured, strict=True))
        estimates = [tuple(mean_difference(column) for column in each.T) for each in (own, other)]
        found.append(Point(count, float(busy.mean()), *estimates))
    return found


def _measured(
    trials: Sequence[Calls], server: Server, agents: int, rng: np.random.Generator
) -> tuple[float, np.ndarray, np.ndarray]:  # fmt: skip
    """Share of busy time and percentiles of one seed: of these agents, and of the same calls by chance."""
    rate = float(np.mean([len(trial.began) / trial.span / trial.agents for trial in trials]))
    until = max(CALLS, 20 * agents) / rate / agents  # seconds
    calls = team(trials, agents, until, rng)
    found = serve(calls, server.rates)
    busy = found.busy / float(found.ended.max())
    return busy, _percentiles(found, until), _percentiles(serve(by_chance(calls, rng), server.rates), until)


def _percentiles(found: Served, until: float) -> np.ndarray:
    counted = (found.asked >= WARM * until) & (found.asked < until)
    return np.quantile((found.ended - found.asked)[counted], SHARES)


def by_chance(calls: Asked, rng: np.random.Generator) -> Asked:
    """The same callers with as many calls in as much time, at moments by chance (a Poisson stream); tokens mixed."""
    gap, order = rng.exponential(size=len(calls.gap)), rng.permutation(len(calls.gap))
    scale = np.add.reduceat(calls.gap, calls.starts[:-1]) / np.add.reduceat(gap, calls.starts[:-1])
    return Asked(
        calls.starts, gap * np.repeat(scale, np.diff(calls.starts)), calls.prompt[order], calls.output[order]
    )  # fmt: skip


def team(trials: Sequence[Calls], agents: int, until: float, rng: np.random.Generator) -> Asked:
    """The calls of so many agents: enough to go on until then, however fast they are answered."""
    gaps, prompts, outputs, left = [], [], [], agents
    while left > 0:
        trial = trials[int(rng.integers(len(trials)))]
        start = rng.uniform(0, trial.span)
        for agent in np.unique(trial.agent)[:left]:
            for sample in np.unique(trial.sample[trial.agent == agent]):
                own = np.flatnonzero((trial.agent == agent) & (trial.sample == sample))
                gap, order = _from(trial, own, start, until)
                gaps.append(gap)
                prompts.append(trial.prompt[order])
                outputs.append(trial.output[order])
        left -= trial.agents
    starts = np.cumsum([0, *map(len, gaps)])
    return Asked(starts, *map(np.concatenate, (gaps, prompts, outputs)))


def _from(trial: Calls, own: np.ndarray, start: float, until: float) -> tuple[np.ndarray, np.ndarray]:
    """The gaps of a caller's calls ``own`` from a moment of its trial on, again and again, and which call each is."""
    began, ended = trial.began[own], trial.ended[own]
    gap = np.maximum(began - np.concatenate([[ended[-1] - trial.span], ended[:-1]]), 0.0)
    first = int(np.searchsorted(began, start)) % len(own)
    order = np.roll(np.arange(len(own)), -first)
    rounds = int(until / max(gap.sum(), 1e-9 * until)) + 2
    gaps, calls = np.tile(gap[order], rounds), np.tile(own[order], rounds)
    gaps[0] = (began[first] - start) % trial.span
    enough = int(np.searchsorted(np.cumsum(gaps), until)) + 1
    return gaps[:enough], calls[:enough]
