"""What an agent's own code gets, and what becomes of its answers; the same in its own process and in this one."""

import sysconfig
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import index
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.decision import Heard, Percept
from sandbox.core.errors import UsageError, shown, unknown

LONGEST = 2_000  # characters of an error
_LIBRARIES = ("<", *(sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib")))
ANSWER = "expected a verb, a verb and its target, or the number of a pair"

PASS = object()  # an answer: the agent's fallback acts in this tick, which is counted
Ask = Callable[..., Any]  # (what, agent, *arguments) -> the answer of the host; raises UsageError


class Setting(NamedTuple):
    """The facts of a trial that the code of a group is told at its beginning."""

    rows: tuple[int, ...]  # its agents
    names: tuple[str, ...]  # of all agents of the team
    verbs: tuple[str, ...]
    targets: int  # of each verb
    channels: tuple[str, ...]  # of the window
    vector: tuple[str, ...]
    seed: int  # of the trial


class View:
    """One agent's observation in one tick: arrays, text, a picture, and its team.

    Attributes
    ----------
    agent : its row in the team; ``name`` is its name.
    tick : ticks played so far.
    window : (C, K, K) int8, the surroundings of the agent; ``channels`` are the names of the C channels.
    vector : (V,) float32; ``columns`` are the names of the entries.
    mask : (A,) bool; False: the pair ``verb * targets + target`` would have no effect.
    inbox : (M, 4) int32, reports of other agents' sensors.
    task : (4,) int32, the task that its team wants done.
    heard : the messages that arrive in this tick, each with its sender.
    """

    def __init__(self, percept: Percept, setting: Setting, ask: Ask):
        self.agent, self.tick, self.window, self.vector, self.mask, self.inbox, self.task = percept[:7]
        self.heard: tuple[Heard, ...] = percept.heard
        self._setting, self._ask = setting, ask

    @property
    def name(self) -> str:
        return self._setting.names[self.agent]

    @property
    def channels(self) -> tuple[str, ...]:
        return self._setting.channels

    @property
    def columns(self) -> tuple[str, ...]:
        return self._setting.vector

    @property
    def flat(self) -> np.ndarray:
        """One vector float32, equal to that of ``sandbox.gym_env(..., flat=True)``."""
        parts = self.window, self.vector, self.task, *([self.inbox] if len(self.inbox) else [])
        return np.concatenate([part.ravel() for part in parts], dtype=np.float32)

    @property
    def legal(self) -> dict[str, list[int]]:
        """The verbs that have an effect now, each with its targets."""
        rows = self.mask.reshape(len(self._setting.verbs), self._setting.targets)
        return {verb: np.flatnonzero(row).tolist() for verb, row in zip(self._setting.verbs, rows, strict=True)
                if row.any()}  # fmt: skip

    @property
    def brief(self) -> str:
        """The task of the agent in words: the world, what is wanted, its verbs; the same in every tick."""
        return self._ask("brief", self.agent, self.name)

    @property
    def words(self) -> str:
        """The observation as text, as language models get it, with the messages of the team."""
        return self._ask("words", self.agent)

    @property
    def picture(self) -> np.ndarray:
        """The observation as a picture (H, W, 3) uint8: the agent's belief about its surroundings, painted.

        Raises UsageError if the world has no beliefs, or if the agent's fallback sees the state.
        """
        return self._ask("picture", self.agent)

    @property
    def team(self) -> "TeamView":
        """Functions to speak to the team; an agent without a team has no functions."""
        return TeamView(partial(self._ask, "speak", self.agent))


class TeamView:
    """The speech acts of an agent as functions: ``tell(text, to)``, ``claim(name)``, ... as its protocol gives them."""

    def __init__(self, speak: Callable[..., str]):
        self._speak = speak

    def __getattr__(self, name: str) -> Callable[..., str]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments, **named: self._speak(name, arguments, named)


class Made(NamedTuple):
    """The answer for one agent."""

    agent: int
    action: tuple[int, int] | None  # verb, target; None: it passed, or failed with an error
    error: str = ""


class Seat:
    """The code in the seats of a group: one object for each agent if it has ``act``, one for all if it has ``decide``.

    ``thing`` is a class, a function ``(view, legal) -> action`` or an object. Raises whatever the code raises, and
    TypeError for a thing that cannot decide.
    """

    def __init__(self, thing: Any, options: dict[str, Any], setting: Setting):
        self._setting = setting
        first = _made(thing, options)
        decide = getattr(first, "decide", None)
        self._decide = decide if callable(decide) else None
        if self._decide:
            objects = [first]
        else:
            anew = (_made(thing, options) if isinstance(thing, type) else first for _ in setting.rows[1:])
            objects = [first, *anew]
            self._acts = {row: _act(each) for row, each in zip(setting.rows, objects, strict=True)}
        self._objects = list({id(each): each for each in objects}.values())
        for number, each in enumerate(self._objects):
            if callable(reset := getattr(each, "reset", None)):
                reset(seed_of(setting.seed, number))

    def answer(self, percepts: Sequence[Percept], ask: Ask) -> list[Made]:
        """The answers for agents in one tick; errors of the code are in them."""
        views = [View(percept, self._setting, ask) for percept in percepts]
        if self._decide:
            return self._together(views)
        return [self._alone(view) for view in views]

    def close(self) -> None:
        """End the trial; raises whatever the code raises."""
        for each in self._objects:
            if callable(close := getattr(each, "close", None)):
                close()

    def _alone(self, view: View) -> Made:
        try:
            return Made(view.agent, self._pair(self._acts[view.agent](view, view.legal)))
        except (Exception, SystemExit) as error:
            return Made(view.agent, None, told(error))

    def _together(self, views: list[View]) -> list[Made]:
        try:
            answers = list(self._decide(views))
            if len(answers) != len(views):
                raise ValueError(f"decide: {len(answers)} answers for {len(views)} agents")
            return [Made(view.agent, self._pair(one)) for view, one in zip(views, answers, strict=True)]
        except (Exception, SystemExit) as error:
            return [Made(view.agent, None, told(error)) for view in views]

    def _pair(self, answer: Any) -> tuple[int, int] | None:
        """Verb and target by number, None for PASS; raises UsageError."""
        if answer is PASS:
            return None
        if isinstance(answer, str):
            answer = answer, 0
        if isinstance(answer, tuple | list) and len(answer) == 2:
            return self._verb(answer[0]), _below(answer[1], self._setting.targets, "target")
        pairs = len(self._setting.verbs) * self._setting.targets
        verb, target = divmod(_below(answer, pairs, "action"), self._setting.targets)
        return verb, target

    def _verb(self, verb: Any) -> int:
        if not isinstance(verb, str):
            return _below(verb, len(self._setting.verbs), "verb")
        if verb not in self._setting.verbs:
            raise unknown("verb", verb, self._setting.verbs)
        return self._setting.verbs.index(verb)


def seed_of(seed: int, number: int) -> int:
    """A seed 0..2**32-1 for each object of a group, from that of the trial."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _made(thing: Any, options: dict[str, Any]) -> Any:
    if isinstance(thing, type):
        return thing(**options)
    if options and not callable(thing):
        raise TypeError(f"{shown(thing)} takes no options")
    return partial(thing, **options) if options else thing


def _act(each: Any) -> Callable[[View, dict[str, list[int]]], Any]:
    """The function that decides for one agent."""
    act = getattr(each, "act", each)
    if not callable(act):
        raise TypeError(f"{type(each).__name__}: expected a method act(observation, legal) or decide(observations)")
    return act


def _below(value: Any, most: int, what: str) -> int:
    try:
        number = -1 if isinstance(value, bool) else index(value.item() if isinstance(value, np.ndarray) else value)
    except (TypeError, ValueError):
        raise UsageError(f"{what}: {shown(value)}; {ANSWER}") from None
    if not 0 <= number < most:
        raise UsageError(f"{what}: {number}, expected 0..{most - 1}")
    return number


def told(error: BaseException) -> str:
    """An error of the code in one line, with the last place in it that is not in this package."""
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = "an error that cannot be printed"
    place = next(_places(error), "")
    return f"{type(error).__name__}: {said[:LONGEST]}{f' ({place})' if place else ''}"


def _places(error: BaseException) -> Iterator[str]:
    """File and line of each frame, the innermost first; libraries come last."""
    here, frames = str(Path(__file__).parent), traceback.extract_tb(error.__traceback__)
    own = [frame for frame in reversed(frames) if not frame.filename.startswith(here)]
    for frame in sorted(own, key=lambda frame: frame.filename.startswith(_LIBRARIES)):
        yield f"{Path(frame.filename).name}:{frame.lineno}"
