"""Events as text: ``Feed`` gets every tick and keeps the latest events and the important ticks."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from typing import Any, NamedTuple

import numpy as np

from sandbox.agents.memory.tokens import clip
from sandbox.core.speech import Act, Said
from sandbox.core.teamwork import TaskState
from sandbox.core.telling import Transition
from sandbox.engine.coordination.network import ACT, LOST, TASK, TO
from sandbox.engine.coordination.team import Assignment
from sandbox.model import Sandbox
from sandbox.oversight.guard import Review
from sandbox.running.explain import crashed, refused, standing, stopped
from sandbox.studio.backend import wording
from sandbox.studio.backend.decision import rule_words
from sandbox.studio.backend.team import spoken

LATEST = 500  # events
MOST = 12  # of one kind in one tick
NOBODY = np.zeros(0, np.int64)
SPREAD = 0x9E3779B1  # a prime: different messages almost surely have different keys
KINDS = (
    "task", "claim", "message", "lost", "guard", "refused", "failed", "crash", "fallback", "model", "person", "harm",
    "change", "error", "finish", "difference",
)  # fmt: skip
WORTH = {
    "task",
    "guard",
    "crash",
    "fallback",
    "harm",
    "change",
    "error",
    "finish",
    "difference",
}  # kinds that are jump targets


@dataclass(frozen=True)
class Event:
    """One event of a tick."""

    tick: int
    agent: int  # -1: no particular agent
    kind: str  # one of KINDS
    text: str
    who: str = ""  # the agent's name


class _Noted(NamedTuple):
    """An event in compact form. Most events are dropped before they are shown, and never become text."""

    tick: int
    agent: int
    kind: str
    words: Callable[[Sandbox], str]

    def told(self, model: Sandbox) -> Event:
        who = wording.name_of(model, self.agent) if self.agent >= 0 else ""
        return Event(self.tick, self.agent, self.kind, self.words(model), who)


class Feed:
    """The events of one episode. A tick that is visited again adds no events."""

    def __init__(self):
        self._events: deque[Event | _Noted] = deque(maxlen=LATEST)
        self._jumps: deque[Event | _Noted] = deque(maxlen=LATEST)
        self._model: Sandbox | None = None  # the latest one, for names
        self._tick = -1  # the latest noted one
        self._before: dict[str, Any] = {}  # values of the latest tick, for comparison

    def note(self, model: Sandbox, placed: Iterable[Mapping[str, Any]] = (), told: Transition | None = None) -> None:
        """Take the latest tick, which ``told`` explains, or the reset; ``placed`` are the interventions before it."""
        self._before["told"] = told
        fresh, self._tick, self._model = model.ticks > self._tick, max(model.ticks, self._tick), model
        for look in LOOKS if fresh else (_end,):
            kind, happened = "", look(model, self._before)
            for agent, kind, words in islice(happened, MOST):
                self.add(Event(model.ticks, -1, kind, words) if agent < 0 else _Noted(model.ticks, agent, kind, words))
            if more := sum(1 for _ in happened):
                self.add(Event(model.ticks, -1, kind, f"and {more} more of this kind"))
        for key, value in (pair for patch in placed for pair in patch.items()) if fresh else ():
            self.add(Event(model.ticks, -1, "change", f"drawn into the world: {clip(f'{key} {value}', wording.LINE)}"))

    def forget(self, tick: int) -> None:
        """Forget all ticks after this one; ``prime`` with the model at it."""
        self._events, self._jumps = (
            deque((event for event in events if event.tick <= tick), LATEST) for events in (self._events, self._jumps)
        )
        self._tick = min(self._tick, tick)

    def prime(self, model: Sandbox) -> None:
        """Take the values with which the next tick is compared from a model at the latest noted tick."""
        self._model, self._before = model, {}
        for look in LOOKS:
            for _ in look(model, self._before):
                pass

    def add(self, event: Event | _Noted) -> None:
        """Add an event from outside the model: a difference between two runs, an intervention."""
        if event.kind == "finish" and event in self._jumps:  # the last tick was visited before
            return
        self._events.append(event)
        now = takewhile(lambda one: one.tick == event.tick, reversed(self._jumps))
        if event.kind in WORTH and event.kind not in {one.kind for one in now}:
            self._jumps.append(event)

    @property
    def events(self) -> tuple[Event, ...]:
        """The latest, oldest first."""
        self._events = self._told(self._events)
        return tuple(self._events)

    @property
    def jumps(self) -> tuple[Event, ...]:
        """The first event of each kind in each important tick, oldest first."""
        self._jumps = self._told(self._jumps)
        return tuple(self._jumps)

    def _told(self, events: deque[Event | _Noted]) -> deque[Event]:
        return deque((one if isinstance(one, Event) else one.told(self._model) for one in events), LATEST)


# -- kinds of events: each compares the model with the values of the tick before ---------------------------------------

Before = dict[str, Any]
Words = Callable[[Sandbox], str]  # text, made later from a model with the same names
Happened = Iterator[tuple[int, str, str | Words]]  # agent (-1: none in particular), kind, text


def _tasks(model: Sandbox, before: Before) -> Happened:
    """Task objects that have become open, done or failed; without task objects, the progress of the task."""
    done, total = model.finalise().progress[0].tolist()
    was, before["done"] = before.get("done"), done
    if model.talk and len(model.talk.plan.objects):
        states = model.talk.team.state[0].copy()
        old, before["states"] = before.get("states"), states
        for t in np.flatnonzero(states != old).tolist() if old is not None else ():
            if states[t] >= TaskState.DONE:
                name, words = model.talk.plan.objects[t].name, TaskState(states[t]).name.lower()
                yield -1, "task", f"{clip(name, wording.NAME)}: {words} ({done} of {total})"
    elif was is not None and done != was:
        earned = np.flatnonzero(model.state.reward[0] > 0).tolist()
        words = f"{standing(model)} (+{done - was})" if done > was else f"a part of the task is lost ({done - was})"
        yield (earned[0], "task", _said(words)) if len(earned) == 1 else (-1, "task", words)


def _said(words: str) -> Words:
    return lambda model: words


def _claims(model: Sandbox, before: Before) -> Happened:
    """The tasks that agents have taken."""
    if model.talk is None:
        return
    jobs = model.talk.team.task[0]
    codes = np.where(jobs[:, Assignment.KIND] > 0, jobs[:, Assignment.CODE], 0)
    old, before["jobs"] = before.get("jobs", codes), codes
    for agent in np.flatnonzero((codes != old) & (codes > 0)).tolist():
        yield agent, "claim", partial(_takes_on, code=int(codes[agent]))


def _takes_on(model: Sandbox, code: int) -> str:
    return f"takes on {wording.task(model, code)}"


def _messages(model: Sandbox, before: Before) -> Happened:
    """Messages, except those repeated from the tick before, and those of sensors."""
    if model.talk is None or model.latest is None:
        return
    speakers, messages = spoken(model)
    keys = (speakers << 24 | messages[:, TO] << 4 | messages[:, ACT]) * SPREAD + messages[:, TASK]
    told = ~np.isin(messages[:, ACT], (Act.TELL, Act.REPORT)) & ~np.isin(keys, before.get("said", ()))
    before["said"] = keys
    for k in np.flatnonzero(told).tolist():
        to, act, task, value = messages[k].tolist()
        yield int(speakers[k]), "message", partial(wording.message, said=Said(Act(act), to - 1, task, value))
    for agent, said in model.latest.said:
        if said.act == Act.TELL:
            yield agent, "message", partial(wording.message, said=said)


def _lost(model: Sandbox, before: Before) -> Happened:
    """Messages that were lost on their way."""
    count = int(model.talk.team.mail.counts[0, :, LOST].sum()) if model.talk else 0
    was, before["lost"] = before.get("lost", count), count
    if count > was:
        yield -1, "lost", f"{count - was} message{'s' if count - was > 1 else ''} did not arrive"


def _in_vain(model: Sandbox, before: Before) -> Happened:
    """Actions that were refused or failed, and why; once for as long as nothing that an agent does has an effect."""
    told, count = before.pop("told", None), int(model.stats.invalid.sum() + model.stats.refused.sum())
    was, before["vain"] = before.get("vain"), count
    now = stopped(model) if count != was else NOBODY
    fresh, before["stopped"] = np.setdiff1d(now, before.get("stopped", NOBODY)) if len(now) else now, now
    for k, agent in enumerate(fresh.tolist() if told else ()):
        words = refused(model, told, agent) if k < MOST else ""
        act = wording.action(model.env.world, *told.action(agent))
        yield agent, told.outcome(agent), _said(f"“{act}” {words}")


def _crashes(model: Sandbox, before: Before) -> Happened:
    """Agents that have crashed, and those that are back."""
    now = crashed(model)
    was, before["down"] = before.get("down", []), now
    for agent in sorted(set(now) ^ set(was)):
        yield agent, "crash", _said("has crashed for a while" if agent in now else "is back after its crash")


def _perturbed(model: Sandbox, before: Before) -> Happened:
    """The perturbations of the episode, at its beginning."""
    active = {name: severity for name, severity in model.scenario.perturb.items() if severity}
    if not before.get("begun") and active and model.ticks == 0:
        told = ", ".join(f"{name.replace('_', ' ')} {severity:g}" for name, severity in active.items())
        yield -1, "crash", f"perturbations of this episode: {told}"
    before["begun"] = True


def _reviews(model: Sandbox, before: Before) -> Happened:
    """Actions that the guard denied, modified or escalated."""
    for review in model.latest.reviews if model.latest else ():
        yield review.agent, "guard", partial(_reviewed, review=review)


def _reviewed(model: Sandbox, review: Review) -> str:
    said, done = (wording.action(model.env.world, *pair) for pair in (review.said, review.enforced))
    return f"{rule_words(model, review.rule)}: wanted “{said}”, “{done}” was enforced, by {review.by}"


def _traces(model: Sandbox, before: Before) -> Happened:
    """Fallbacks with their reasons, decisions by people, unusable replies; once for each reason."""
    why: dict[int, str] = before.setdefault("why", {})
    for agent, trace in model.latest.traces.items() if model.latest else ():
        if trace.fallback and why.get(agent) != trace.fallback:
            yield agent, "fallback", _said(f"falls back: {clip(trace.fallback, wording.LINE)}")
        why[agent] = trace.fallback
        if trace.person:
            act = wording.action(model.env.world, *trace.person)
            yield agent, "person", _said(f"a person decides: {act}")
        for call in trace.calls:
            if call.error:
                yield agent, "model", _said(f"a reply was not used: {clip(call.error, wording.LINE)}")


def _harm(model: Sandbox, before: Before) -> Happened:
    """Agents whose reward has become negative."""
    reward = model.state.reward[0]
    hurt = reward < 0
    old, before["hurt"] = before.get("hurt", hurt), hurt
    for agent in np.flatnonzero(hurt & ~old).tolist():
        yield agent, "harm", _said(f"does harm or loses something: reward {reward[agent]:.3g}")


def _changes(model: Sandbox, before: Before) -> Happened:
    """Changes of the scenario since the tick before."""
    old, before["scenario"] = before.get("scenario"), model.scenario
    if old is None or old is model.scenario:
        return
    was, now = dict(_leaves(old.as_dict())), dict(_leaves(model.scenario.as_dict()))
    for key in sorted(was.keys() | now.keys()):
        if was.get(key) != now.get(key):
            values = (clip(str(side.get(key, "not set")), wording.NAME) for side in (was, now))
            yield -1, "change", f"{clip(key, wording.NAME)}: {' -> '.join(values)}"


def _leaves(table: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of a scenario."""
    if isinstance(table, Mapping | list):
        for name, part in table.items() if isinstance(table, Mapping) else enumerate(table):
            yield from _leaves(part, f"{key}.{name}" if key else str(name))
    else:
        yield key, table


def _end(model: Sandbox, before: Before) -> Happened:
    """The end and its reason, once; after an error the tick may be the same as before."""
    over, before["over"] = before.get("over", False), not model.running
    if over or model.running:
        return
    if model.error:
        yield -1, "error", f"broke off: {clip(model.error, wording.LINE)}"
    else:
        yield -1, "finish", f"the episode ends: {model.finish.words}"


LOOKS = (
    _perturbed, _tasks, _claims, _messages, _lost, _reviews, _in_vain, _crashes, _traces, _harm, _changes, _end,
)  # fmt: skip
