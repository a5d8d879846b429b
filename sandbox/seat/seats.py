"""Seats and episodes: what a client from outside may do. ``server`` offers it by MCP.

An episode runs in a thread of its own. In each tick it waits for the action of every seat, so many seconds; then the
agent's fallback acts in this tick. A handle names one seat of one episode and is its authorisation. Several clients may
share one: of their actions in a tick the first counts.
"""

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.agents.python.api import PASS, View
from sandbox.agents.speech import brief
from sandbox.core.errors import UsageError, shown, unknown
from sandbox.core.people import People
from sandbox.core.plain import checked_seed, whole
from sandbox.engine.environment import Environment
from sandbox.reasoning import groups_of
from sandbox.record import Event, TrialFinished
from sandbox.record.whole import new_folder
from sandbox.running.trial import run
from sandbox.scenario import Scenario
from sandbox.scenario.change import reseated

PATIENCE = 60.0  # seconds that a tick waits for a client
EPISODES = 8  # that run at the same time
ENDED = 64  # episodes whose results are kept
MISSED = 3  # ticks in a row without a word, after which nobody waits for a client until it calls again
LISTENS = 20.0  # seconds that ``observe`` waits for the next tick
LISTENERS = 4  # calls of ``observe`` that wait at a seat; a client whose connection broke may call again
LONGEST = 4_000  # characters of a message
SAID = 100  # messages in one tick
CLOSING = 5.0  # seconds until episodes that are stopped have been recorded
KEPT = 1_000  # latest ticks whose text can be read again


class Turn(NamedTuple):
    """What an agent sees when it has to act."""

    tick: int  # ticks played so far
    words: str
    legal: dict[str, list[int]]


class Left(KeyboardInterrupt):
    """A client left: its episode ends as ``stopped``, as by Ctrl-C, before the first tick that it did not decide."""


class Action(NamedTuple):
    """What a client did in a tick."""

    tick: int
    verb: str
    target: int
    effect: bool  # whether it is legal


class Seat:
    """The seat of one agent: the episode's thread waits in ``decide``, a client acts by the other methods."""

    def __init__(self, agent: str, env: Environment, patience: float):
        self.agent, self.env, self.handle, self.turns = agent, env, secrets.token_urlsafe(9), deque[Turn](maxlen=KEPT)
        self._patience = patience
        self._changed = threading.Condition()
        self._waits = self._over = self._left = False
        self._latest: Action | None = None
        self._asked: list[tuple[Callable[[View], Any], Future]] = []
        self._missed = self._listening = self._said = 0
        self.outcome: dict[str, Any] | None = None

    # -- the episode's side --------------------------------------------------------------------------------------------

    def decide(self, views: Sequence[View]) -> list[Any]:
        """The client's action for its agent, or PASS after its patience; raises Left if it left."""
        (view,) = views
        turn = Turn(view.tick, view.words, view.legal)
        until = time.monotonic() + (self._patience if self._missed < MISSED else 0.0)
        with self._changed:
            self.turns.append(turn)
            self._said, self._waits = 0, True
            self._changed.notify_all()
            while self._acted is None and not self._left and (rest := until - time.monotonic()) > 0:
                self._changed.wait(rest)
                self._serve(view)
            action = self._acted
            if self._left and not action:  # one that was answered is executed
                raise Left
            self._waits = False
            self._missed = 0 if action else self._missed + 1
            return [(action.verb, action.target) if action else PASS]

    def _serve(self, view: View) -> None:
        """Answer the questions that need the episode's own thread."""
        while self._asked:
            question, answer = self._asked.pop(0)
            try:
                answer.set_result(question(view))
            except Exception as error:
                answer.set_exception(error)

    def end(self, outcome: dict[str, Any]) -> None:
        """The episode is over."""
        with self._changed:
            self.outcome, self._over, self._waits = outcome, True, False
            for _, answer in self._asked:
                answer.set_exception(UsageError("the episode is over"))
            self._asked.clear()
            self._changed.notify_all()

    # -- the client's side ---------------------------------------------------------------------------------------------

    def observe(self, within: float = LISTENS) -> Turn | None:
        """What the agent sees when it next has to act; None if the episode is over, or nothing came in time.

        Raises UsageError if too many calls wait already.
        """
        with self._changed:
            self._missed = 0
            if self._listening >= LISTENERS:
                raise UsageError(f"{LISTENERS} calls of observe wait for this seat; expected one of them to end first")
            self._listening += 1
            try:
                self._changed.wait_for(lambda: self._over or self._may_act, within)
            finally:
                self._listening -= 1
            return self.turns[-1] if self._may_act else None

    def turn(self, tick: int) -> Turn:
        """What the agent saw in one of its latest ticks; raises UsageError for another one."""
        with self._changed:
            found = next((turn for turn in self.turns if turn.tick == tick), None)
        if found is None:
            raise UsageError(
                f"tick {shown(tick)}: the agent did not decide in it, or it is not among the latest {KEPT:,}"
            )
        return found

    @property
    def over(self) -> bool:
        return self._over

    def leave(self, within: float = LISTENS) -> dict[str, Any] | None:
        """Leave the seat, which ends the episode; returns its outcome, None if it does not end in time."""
        with self._changed:
            self._left = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._over, within)
            return self.outcome

    def act(self, tick: int, verb: str, target: int = 0) -> bool:
        """Act in a tick; returns whether the action has an effect. The same call may be repeated.

        Raises UsageError if the tick is not the present one, and for an unknown verb or target.
        """
        world = self.env.world
        if verb not in world.verbs:
            raise unknown("verb", verb, world.verbs)
        target = whole(target, "target", 0, world.targets - 1)
        with self._changed:
            self._missed = 0
            if self._latest and self._latest[:3] == (tick, verb, target):
                return self._latest.effect
            if not self._may_act or self.turns[-1].tick != tick:
                raise UsageError(f"tick {shown(tick)} does not wait for you: {self._place}")
            self._latest = Action(tick, verb, target, target in self.turns[-1].legal.get(verb, ()))
            self._changed.notify_all()
            return self._latest.effect

    def say(self, text: str, to: str = "all") -> str:
        """Say something to the team, before acting; raises UsageError without a team, or if no tick waits."""
        answer: Future = Future()
        with self._changed:
            if not self._may_act:
                raise UsageError(f"nobody listens now: {self._place}")
            self._said += 1
            if self._said > SAID:
                raise UsageError(f"expected at most {SAID} messages in a tick")
            self._asked.append((lambda view: view.team.tell(text[:LONGEST], to), answer))
            self._changed.notify_all()
        return answer.result(LISTENS)

    @property
    def _acted(self) -> Action | None:
        """The action in the present tick."""
        return self._latest if self._latest and self._latest.tick == self.turns[-1].tick else None

    @property
    def _may_act(self) -> bool:
        return self._waits and self._acted is None

    @property
    def _place(self) -> str:
        if self._over:
            return "the episode is over"
        return (
            f"tick {self.turns[-1].tick} is the present one; observe waits for the next" if self.turns else "it begins"
        )


class Started(NamedTuple):
    """An episode with its seats, by the names of their agents."""

    episode: str
    seats: dict[str, Seat]
    folder: Path | None


class Seating:
    """Episodes of one scenario with seats for some of its agents.

    ``rows`` are the agents in the seats; records go into numbered folders below ``out``. At most ``episodes`` run at
    the same time.
    """

    def __init__(
        self, scenario: Scenario, rows: Sequence[int] = (0,), patience: float = PATIENCE, out: Path | None = None,
        episodes: int = EPISODES,
    ):  # fmt: skip
        self.rows = tuple(dict.fromkeys(whole(row, "seat", 0, len(scenario.roster()) - 1) for row in rows))
        for row in self.rows:
            scenario = reseated(scenario, row, scenario.roster()[row].fallback)
        self.scenario, self._patience, self._out, self._most = scenario, patience, out, episodes
        self.env, self._names = scenario.env(), scenario.names
        self._episodes: dict[str, Started] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def begin(self, seed: int | None = None, people: People | None = None) -> Started:
        """Begin an episode, with ``people`` for escalated actions; raises UsageError if too many run."""
        seed = self.scenario.seed if seed is None else checked_seed(seed)
        with self._lock:
            running = [each for each in self._episodes.values() if not _is_over(each)]
            if len(running) >= self._most:
                raise UsageError(f"{self._most} episodes are running; expected one of them to end first")
            for episode in [name for name, each in self._episodes.items() if _is_over(each)][:-ENDED]:
                del self._episodes[episode]
            started = self._started(seed)
            self._episodes[started.episode] = started
            self._threads = [each for each in self._threads if each.is_alive()]
            self._threads.append(threading.Thread(target=self._play, args=(started, seed, people), daemon=True))
            self._threads[-1].start()
        return started

    def close(self, within: float = CLOSING) -> None:
        """Stop all episodes that run; each is recorded until then. What does not stop in time is left as if killed."""
        until = time.monotonic() + within
        for started in list(self._episodes.values()):
            for seat in started.seats.values():
                seat.leave(0.0)
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def seat(self, handle: str) -> Seat:
        """The seat of a handle; raises UsageError for a wrong one."""
        for started in list(self._episodes.values()):
            for seat in started.seats.values():
                if secrets.compare_digest(seat.handle.encode(), handle.encode(errors="replace")):
                    return seat
        raise UsageError(f"no seat has the handle {shown(handle)}; begin gives one")

    def brief(self, seat: Seat) -> str:
        """The task of an agent in words."""
        return brief(self.env, seat.agent)

    def _started(self, seed: int) -> Started:
        seats = {name: Seat(name, self.env, self._patience) for row in self.rows for name in [self._names[row]]}
        folder = None if self._out is None else new_folder(self._out, f"seed{seed}")
        return Started(secrets.token_urlsafe(6), seats, folder)

    def _play(self, started: Started, seed: int, people: People | None) -> None:
        told: dict[str, Any] = {}

        def note(event: Event) -> None:
            if isinstance(event, TrialFinished):
                told.update(event.outcome)

        groups = {rows.start: k for k, (rows, _) in enumerate(groups_of(self.scenario.agents))}
        reasoners = {groups[row]: seat for row, seat in zip(self.rows, started.seats.values(), strict=True)}
        try:
            run(self.scenario, seed, out=started.folder, people=people, on_event=note, reasoners=reasoners)
        except Left:
            """The outcome says that the episode was stopped."""
        except Exception as error:
            told = {"error": f"{type(error).__name__}: {error}"}
        for seat in started.seats.values():
            seat.end(told)


def _is_over(started: Started) -> bool:
    return all(seat.over for seat in started.seats.values())
