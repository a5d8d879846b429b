"""Messages of an agent of the hosted tier: typed functions to speak and to hear, for models and programs."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import numpy as np

from sandbox.core.decision import Percept
from sandbox.core.errors import unknown
from sandbox.core.plain import utf8, whole
from sandbox.core.speech import Act, Said, task_code
from sandbox.core.world import Observation
from sandbox.engine.environment import Environment

ALL = "all"
MANY = 64  # most names that are listed
MOST = 2**31 - 1  # a cost that a message can hold
_SHOWN = 40  # latest messages


class Circle(Protocol):
    """An agent's view of its team."""

    @property
    def names(self) -> Sequence[str]: ...
    def about(self, agent: int) -> str: ...  # how the team works together, and who leads
    def hearers(self, agent: int) -> Sequence[int]: ...  # agents that can hear it
    def acts(self, agent: int) -> Sequence[Act]: ...  # its speech acts, besides TELL and DONE
    def board(self) -> Sequence[tuple[str, str]]: ...  # task objects and their states
    def code(self, name: str) -> int: ...  # code of a task by its name; raises UsageError
    def named(self, code: int) -> str: ...  # its inverse


class Speech:
    """Speaking and hearing of one agent. Its messages of a tick are collected, and ``taken`` with its decision."""

    def __init__(self, circle: Circle, agent: int):
        self._circle, self._agent = circle, agent
        self._said: list[Said] = []

    def taken(self) -> tuple[Said, ...]:
        """Its messages since the last call."""
        said, self._said = tuple(self._said), []
        return said

    # -- speaking ------------------------------------------------------------------------------------------------------

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        """A function for each speech act that the team's protocol gives this agent."""
        names = [self._circle.names[other] for other in self._circle.hearers(self._agent)]
        hearer = Literal[tuple(names)] if 0 < len(names) <= MANY else str
        tasks = [name for name, _ in self._circle.board()]
        task = Literal[tuple(tasks)] if 0 < len(tasks) <= MANY else str
        known = self._spoken(hearer, Literal[(ALL, *names)] if len(names) <= MANY else str, task)
        acts = (Act.TELL, Act.DONE, *self._circle.acts(self._agent))
        return {function.__name__: function for act in acts if (function := known.get(act))}

    def _spoken(self, hearer: Any, hearers: Any, task: Any) -> dict[Act, Callable[..., str]]:
        """Every speech act as a function; the types of its arguments list the existing names."""
        say = self._say

        def tell(text: str, to: hearers = ALL) -> str:
            """Say something to one of your team, or to all who can hear you."""
            return say(Act.TELL, to, text=text)

        def done(name: task) -> str:
            """Say to all that a task is done. It is checked, and what you claim is written down beside the truth."""
            return say(Act.DONE, ALL, name)

        def claim(name: task) -> str:
            """Say to all that you are at a task."""
            return say(Act.CLAIM, ALL, name)

        def announce(name: task) -> str:
            """Ask all for bids on a task."""
            return say(Act.OPEN, ALL, name)

        def bid(name: task, to: hearer, cost: int) -> str:
            """Offer to do a task that was announced to you; cost: the ticks that it would take you."""
            return say(Act.BID, to, name, cost)

        def award(name: task, to: hearer) -> str:
            """Give a task to one that has bid for it."""
            return say(Act.AWARD, to, name, -1)

        def assign(name: task, to: hearer) -> str:
            """Give a task to one of your team."""
            return say(Act.ASSIGN, to, name, -1)

        def hand_off(to: hearer, name: str = "") -> str:
            """Hand the turn to one of your team, with a task or without."""
            return say(Act.HAND_OFF, to, name)

        def give_word(to: hearer) -> str:
            """Choose the next speaker."""
            return say(Act.NEXT, to)

        def raise_hand() -> str:
            """Say to all that you are free for a task."""
            return say(Act.IDLE, ALL)

        return {
            Act.TELL: tell, Act.DONE: done, Act.CLAIM: claim, Act.OPEN: announce, Act.BID: bid, Act.AWARD: award,
            Act.ASSIGN: assign, Act.HAND_OFF: hand_off, Act.NEXT: give_word, Act.IDLE: raise_hand,
        }  # fmt: skip

    def _say(self, act: Act, to: str, name: str = "", value: int = 0, text: str = "") -> str:
        row = -1
        if to != ALL:
            names = [self._circle.names[other] for other in self._circle.hearers(self._agent)]
            if to not in names:
                raise unknown("hearer", to, names)
            row = self._circle.names.index(to)
        cost = whole(value, "cost", -1, MOST)
        self._said.append(Said(act, row, self._circle.code(name) if name else 0, cost, utf8(text)))
        return "said"

    # -- hearing -------------------------------------------------------------------------------------------------------

    def heard(self, percept: Percept) -> list[dict[str, Any]]:
        """The messages received in this tick, a dict for each."""
        return [
            {"from": self._circle.names[sender], "act": said.act.name.lower(), "value": said.value, "text": said.text,
             "task": self._circle.named(said.task) if said.task else ""}
            for sender, said in percept.heard
        ]  # fmt: skip

    def task(self, percept: Percept) -> str:
        """The task that the team wants done; empty for none."""
        kind, argument, *_ = percept.task.tolist()
        return self._circle.named(task_code(kind - 1, argument)) if kind else ""

    def words(self, percept: Percept) -> str:
        """The team in the prompt of a language model, in this tick."""
        lines = [self._circle.about(self._agent)]
        if board := self._circle.board():
            lines.append("Tasks: " + "; ".join(f"{name} ({state})" for name, state in board) + ".")
        if task := self.task(percept):
            lines.append(f"Your task now: {task}.")
        if heard := self.heard(percept):
            lines += ["You hear:", *(f"- {_in_words(message)}" for message in heard[-_SHOWN:])]
        return "\n".join(lines)


def observed(env: Environment, percept: Percept, speech: Speech | None = None) -> str:
    """A percept as the world's text, and the messages of its team."""
    # The world reads the agent's row of a lane. Every row is a view of the same percept, without copying.
    rows = (np.broadcast_to(part, (1, percept.agent + 1, *part.shape)) for part in percept.view)
    seen = env.world.render_text(Observation(*rows), 0, percept.agent, env.params)
    return f"{seen}\n\n{speech.words(percept)}" if speech else seen


def brief(env: Environment, name: str) -> str:
    """The task of an agent in words: the world, what is wanted, its verbs."""
    verbs = (f"- {tool['name']}: {tool['description']}" for tool in env.world.tools(env.params))
    return "\n".join([f"You are {name}. {env.world.summary}", f"Task: {env.task.texts[0]}", "Verbs:", *verbs])


def _in_words(message: dict[str, Any]) -> str:
    who, act, task = message["from"], message["act"].replace("_", " "), message["task"]
    if message["act"] == "tell":
        return f"{who}: {message['text']}"
    about = f" {task}" if task else ""
    return f"{who}: {act}{about}" + (f", cost {message['value']}" if message["act"] in ("bid", "claim") else "")
