"""People who act from any thread: they decide for agents, approve actions, and take agents over."""

import threading
import time
from collections.abc import Iterable, Mapping
from functools import partial

from sandbox.core.errors import UsageError
from sandbox.core.people import ALLOW, DENY, Action, Question


class Approvals:
    """People who answer from another thread, for instance at a page: they see ``pending`` questions.

    An agent that they ``take`` performs the actions that they ``key``, one in each tick, and the no-op without one.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pending: dict[int, Question] = {}  # by agent, one at a time
        self._answers: dict[int, Action] = {}
        self._began = 0.0  # when the open questions were asked
        self._taken: set[int] = set()
        self._lost: set[int] = set()
        self._views: dict[int, Question] = {}  # present percepts of taken agents
        self._keyed: dict[int, Action] = {}  # actions for the next tick
        self._gone = False

    @property
    def pending(self) -> list[Question]:
        """The open questions, in the order of the agents."""
        with self._changed:
            return [self._pending[agent] for agent in sorted(self._pending.keys() - self._answers.keys())]

    def left(self, question: Question) -> float:
        """Seconds until an open question is too late to be answered."""
        return max(0.0, self._began + question.patience - time.monotonic())

    def answer(self, agent: int, words: str) -> None:
        """Answer a question: ``allow``, ``deny``, or an action such as ``click 3``; empty: the no-op.

        Raises UsageError if no question about that agent is open, and for an action that is not legal now.
        """
        with self._changed:
            if agent not in self._pending or agent in self._answers:
                raise UsageError(f"agent {agent}: not waiting for an answer")
            self._answers[agent] = self._pending[agent].read(words)
            self._changed.notify_all()

    def allow(self, agent: int) -> None:
        self.answer(agent, ALLOW)

    def deny(self, agent: int) -> None:
        self.answer(agent, DENY)

    def leave(self) -> None:
        """Nobody is present any more: open questions stay unanswered, and further ones do not wait."""
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    # -- taking over ---------------------------------------------------------------------------------------------------

    def take(self, agent: int) -> None:
        """From the next tick on, a person controls this agent."""
        with self._changed:
            self._lost.discard(agent)
            self._taken.add(agent)

    def lose(self, agent: int) -> None:
        """From the next tick on this agent stands still, and neither a person nor its reasoner acts for it."""
        with self._changed:
            self._forget(agent)
            self._lost.add(agent)

    def release(self, agent: int) -> None:
        """From the next tick on, the agent decides for itself again."""
        with self._changed:
            self._forget(agent)

    def _forget(self, agent: int) -> None:
        self._taken.discard(agent)
        self._lost.discard(agent)
        self._views.pop(agent, None)
        self._keyed.pop(agent, None)

    @property
    def taken(self) -> list[int]:
        """The agents that a person controls."""
        with self._changed:
            return sorted(self._taken)

    @property
    def lost(self) -> list[int]:
        """The agents that stand still."""
        with self._changed:
            return sorted(self._lost)

    @property
    def steered(self) -> list[Question]:
        """Percepts and legal actions of the agents that a person controls, as of the last ``tell``."""
        with self._changed:
            return [self._views[agent] for agent in sorted(self._views)]

    def tell(self, questions: Iterable[Question]) -> None:
        """Set the percepts of taken agents; called by the thread that runs the model, after each tick."""
        with self._changed:
            self._views = {question.agent: question for question in questions if question.agent in self._taken}

    def key(self, agent: int, words: str) -> None:
        """Set the action of a taken agent in the next tick, such as ``click 3``; the last one set counts.

        Raises UsageError for an agent that is not taken, and for an action that is not legal now.
        """
        with self._changed:
            if agent not in self._views:
                raise UsageError(f"agent {agent}: no person steers it")
            self._keyed[agent] = self._views[agent].read(words)

    def held(self, tick: int) -> Mapping[int, Action | None]:
        """See ``People``; called by the thread that runs the model."""
        with self._changed:
            keyed, self._keyed = self._keyed, {}
            return {agent: keyed.get(agent) for agent in sorted(self._taken | self._lost)}

    # -- waiting for answers -------------------------------------------------------------------------------------------

    def _settled(self, agent: int) -> bool:
        return self._gone or agent in self._answers

    def ask(self, questions: list[Question]) -> list[Action | None]:
        """See ``People``; called by the thread that runs the model."""
        with self._changed:
            began = self._began = time.monotonic()
            self._pending, self._answers = {question.agent: question for question in questions}, {}
            self._changed.notify_all()
            for question in questions:
                left = began + question.patience - time.monotonic()
                self._changed.wait_for(partial(self._settled, question.agent), max(left, 0))
                if question.agent not in self._answers:
                    del self._pending[question.agent]  # too late from now on
            found = [self._answers.get(question.agent) for question in questions]
            self._pending, self._answers = {}, {}
            return found
