"""The transcript of a trial: what each agent saw, was sent, answered and did, what came of it, and why it failed.

It is made by executing the recorded trial again, with the record in place of language models, functions and people.
Each state must be the recorded one.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sandbox.agents.memory.tokens import clip
from sandbox.agents.python.options import short
from sandbox.core.decision import Call, ToolUse, Trace
from sandbox.core.errors import RecordError, UsageError
from sandbox.core.finish import Finish
from sandbox.core.telling import Transition
from sandbox.model import Sandbox
from sandbox.record import Changed, Placed, TickDone, open_run
from sandbox.record.table import holds_a_run
from sandbox.running.branches import Branches
from sandbox.running.explain import Witness, refused
from sandbox.running.reexecute import trial_of
from sandbox.running.replay import follow, model_of
from sandbox.running.wording import LINE, action, message, name_of

LONGEST = 40_000  # bytes of a text


class Turn(NamedTuple):
    """One agent in one tick."""

    tick: int
    agent: int
    name: str
    role: str
    saw: str  # its observation in words
    heard: tuple[str, ...]  # messages that reached it
    calls: tuple[Call, ...]  # of its language model
    tools: tuple[ToolUse, ...]  # functions that it called
    thought: str  # the reason that it gave
    subgoal: str
    said: tuple[str, ...]  # messages that it sent
    did: str  # the action performed
    doing: str  # what that is for, in a sentence of its world
    person: bool  # whether a person chose the action
    reviewed: str  # what the guard made of the action
    refused: str  # why the action came to nothing
    fallback: str  # why its fallback policy acted
    failure: str  # its own error
    reward: float
    done: int  # tasks done after the tick, of the whole team
    total: int  # tasks; 0: no end

    @property
    def came(self) -> str:
        """What came of it."""
        told = [self.reviewed, self.refused, self.fallback and f"its fallback acted: {self.fallback}", self.failure]
        if self.reward:
            told.append(f"reward {self.reward:g}")
        return "; ".join(filter(None, told)) or "it took effect"

    @property
    def words(self) -> str:
        """All of its texts, for a search."""
        replies = (part for call in self.calls for part in (call.prompt, *(call.reply or {}).values(), call.error))
        used = (part for tool in self.tools for part in (tool.tool, tool.arguments, tool.answer))
        own = (self.name, self.saw, self.thought, self.subgoal, self.did, self.doing, self.came)
        return "\n".join((*own, *self.heard, *self.said, *replies, *used))

    def has(self, words: str) -> bool:
        """Whether all of the words occur in it."""
        text = self.words.casefold()
        return all(word in text for word in words.casefold().split())


class Finding(NamedTuple):
    """A tick to look at first."""

    what: str  # first refusal, first fallback, last progress, end, decisive tick
    tick: int
    agent: int  # -1: no particular one
    text: str


class Transcript(NamedTuple):
    """A trial, or a part of it."""

    folder: str
    trial: int
    world: str
    seed: int
    names: tuple[str, ...]
    reasoners: tuple[str, ...]
    finish: str  # of the episode so far
    ticks: int
    done: int
    total: int
    findings: tuple[Finding, ...]
    turns: tuple[Turn, ...]

    @property
    def summary(self) -> str:
        """The outcome in a line."""
        tasks = f"{self.done:,} of {self.total:,}" if self.total else f"{self.done:,}"
        return f"{self.world}, seed {self.seed}: {self.finish} after {self.ticks:,} ticks, tasks done: {tasks}"


def transcript(
    folder: str | Path, trial: int = 0, agents: Collection[int] | None = None, ticks: tuple[int, int] | None = None,
    on_tick: Callable[[], None] = lambda: None, decisive: bool = False,
) -> Transcript:  # fmt: skip
    """The transcript of a trial of a run, or of a row of a batch.

    ``agents`` and ``ticks`` (first, last) choose among its turns; the findings are those of the whole trial.
    ``on_tick`` is called after each tick; its exceptions end the work. With ``decisive``, a trial that failed has its
    decisive tick among its findings: up to the tick before, the world's oracle, deciding for all agents, would still
    have succeeded (``branches``). Raises RecordError if there is no such trial or if it does not run as recorded,
    UsageError if there is no such agent, or if no branch can be made.
    """
    found = _Reader(agents, ticks, decisive)
    for model in _played(Path(folder), trial, found.before):
        if model.latest is None:
            found.begin(model)
        else:
            found.take(model)
            on_tick()
    return found.close(str(folder), trial)


def _played(folder: Path, trial: int, before: Callable[[Sandbox], None]) -> Iterator[Sandbox]:
    """The model after reset and after each tick, decisions and all; ``before`` is called right before each tick."""
    if not holds_a_run(folder):
        for model in trial_of(folder, trial).play():
            yield model
            before(model)
        return
    with open_run(folder) as run, closing(model_of(run, trial)) as model:
        yield model
        for event in run.events(trial):
            if isinstance(event, Changed | Placed):
                follow(model, event)
            elif isinstance(event, TickDone):
                before(model)
                model.step()
                if model.error or model.latest is None or model.latest.digest != event.digest:
                    told = model.error or "its state differs"
                    raise RecordError(f"{folder}: trial {trial}, tick {event.tick} does not run as recorded: {told}")
                yield model


class _Reader:
    """Reads a model tick by tick."""

    def __init__(self, agents: Collection[int] | None, ticks: tuple[int, int] | None, decisive: bool) -> None:
        self._agents, self._ticks, self._decisive = agents, ticks, decisive
        self._branches: Branches | None = None
        self._witness = Witness()
        self._used: list[ToolUse] = []  # in the present tick
        self._turns: list[Turn] = []
        self._found: dict[str, Finding] = {}
        self._progress = (0, 0)  # the latest tick with progress, and tasks done after it
        self.before = self._witness.watch

    def begin(self, model: Sandbox) -> None:
        self._model = model
        for agent in self._agents or ():
            if not 0 <= agent < model.env.agents:
                raise UsageError(f"agent {agent}: expected a number in 0..{model.env.agents - 1}")
        model.functions.on_answer = self._used.append
        if self._decisive:
            self._branches = Branches(model)
            self._branches.keep()

    def take(self, model: Sandbox) -> None:
        """Read the latest tick."""
        told = self._witness.transition(model)
        if told is None:
            raise RecordError("a tick was not watched")
        done, total = model.finalise().progress[0].tolist()
        if done > self._progress[1]:
            self._progress = (model.ticks, done)
        self._find(model, told)
        if self._branches:
            self._branches.keep()
        first, last = self._ticks or (1, model.ticks)
        if first <= model.ticks <= last:
            agents = range(model.env.agents) if self._agents is None else sorted(self._agents)
            self._turns += [_turn(model, told, agent, self._used, (done, total)) for agent in agents]
        self._used.clear()

    def _find(self, model: Sandbox, told: Transition) -> None:
        """Note the first refusal and the first fallback."""
        if "first refusal" not in self._found:
            for agent in np.flatnonzero(_prevented(told)).tolist():
                self._note(model, "first refusal", agent, refused(model, told, agent))
        for agent, trace in model.latest.traces.items() if model.latest else ():
            self._note(model, "first fallback", agent, trace.fallback)

    def _note(self, model: Sandbox, what: str, agent: int, text: str) -> None:
        if text and what not in self._found:
            self._found[what] = Finding(what, model.ticks, agent, clip(text, LINE))

    def close(self, folder: str, trial: int) -> Transcript:
        model = self._model
        done, total = model.finalise().progress[0].tolist()
        if model.ticks:
            self._found["end"] = self._ended(model, done, total)
        if self._branches and model.ticks and model.verdict != Finish.COMPLETED:
            self._found["decisive tick"] = _decided(self._branches)
        return Transcript(
            folder, trial, model.scenario.world.name, model.seed, model.names,
            tuple(group.llm.model if group.llm else short(group.reasoner) for group in model.scenario.roster()),
            model.verdict.words, model.ticks, done, total, tuple(self._found.values()), tuple(self._turns),
        )  # fmt: skip

    def _ended(self, model: Sandbox, done: int, total: int) -> Finding:
        """The last progress, if time ran out after it, else the end."""
        (tick, _), finish = self._progress, model.verdict
        if finish in (Finish.TICK_LIMIT, Finish.STALLED, Finish.BUDGET, Finish.RUNNING, Finish.STOPPED):
            tasks = f"{done:,} of {total:,}" if total else f"{done:,}"
            then = f"nothing more is done in the {model.ticks - tick:,} ticks after it"
            text = f"tasks done: {tasks}; {then}" if tick else "nothing of the task is ever done"
            return Finding("last progress", tick or 1, -1, text)
        failed = min(model.failures, default=-1)
        why = f": {clip(model.failures[failed], LINE)}" if failed >= 0 else f": {model.error}" if model.error else ""
        return Finding("end", model.ticks, failed, f"{finish.words}{why}")


def _decided(branches: Branches) -> Finding:
    """The first tick after which the branches of a failed trial fail too."""
    last, policy = branches.last(), branches.policy
    if last is None:
        return Finding("decisive tick", 1, -1, f"none: {policy} succeeds from no tick, not even the first")
    if last == branches.kept - 1:
        return Finding("decisive tick", last, -1, f"none: {policy} could take over at the end, and succeed")
    text = f"after tick {last} {policy} could still take over all agents and succeed, after this one it cannot"
    return Finding("decisive tick", last + 1, -1, text)


def _prevented(told: Transition) -> np.ndarray:
    """The agents whose action was illegal or prevented, (N,) bool."""
    mask, (verbs, targets) = told.obs.mask[0], told.actions[0].T
    width = mask.shape[1] // told.params.verbs
    pairs = verbs * width + targets
    known = (verbs >= 0) & (verbs < told.params.verbs) & (targets >= 0) & (targets < width)
    legal = np.take_along_axis(mask, np.where(known, pairs, 0)[:, None], 1)[:, 0].astype(bool)
    return ~(known & legal) | told.after.refused[0].astype(bool)


def _turn(model: Sandbox, told: Transition, agent: int, used: list[ToolUse], tasks: tuple[int, int]) -> Turn:
    world, latest = model.env.world, model.latest
    assert latest is not None
    trace = latest.traces.get(agent) or Trace()
    heard = model.talk.heard(agent) if model.talk else ()
    return Turn(
        tick=model.ticks, agent=agent, name=name_of(model, agent), role=model.agents[agent].role,
        saw=clip(world.render_text(told.obs, 0, agent, model.env.params), LONGEST),
        heard=tuple(f"from {name_of(model, one.sender)} {message(model, one.said)}" for one in heard),
        calls=trace.calls, tools=tuple(use for use in used if use.agent == agent),
        thought=clip(trace.thought, LONGEST), subgoal=clip(trace.subgoal, LONGEST),
        said=tuple(message(model, said) for speaker, said in latest.said if speaker == agent),
        did=action(world, *told.action(agent)), doing=clip(world.doing(told, agent), LINE),
        person=trace.person is not None, reviewed=_reviewed(model, agent),
        refused=clip(refused(model, told, agent), LINE), fallback=clip(trace.fallback, LINE),
        failure=clip(trace.failure, LINE), reward=float(latest.reward[agent]), done=tasks[0], total=tasks[1],
    )  # fmt: skip


def _reviewed(model: Sandbox, agent: int) -> str:
    """What the guard made of an agent's action."""
    latest, world = model.latest, model.env.world
    found = (review for review in (latest.reviews if latest else ()) if review.agent == agent)
    told = ((action(world, *review.said), action(world, *review.enforced), review) for review in found)
    return "; ".join(
        f"the guard's rule {review.rule + 1} ({review.effect}): it wanted {said}, {made} was enforced (by {review.by})"
        for said, made, review in told
    )
