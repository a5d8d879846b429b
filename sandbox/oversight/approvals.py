"""People who act from any thread: they decide for agents, approve actions, and take agents over."""

import threading
import time
from collections.abc import Iterable, Mapping

from sandbox.core.errors import UsageError
from sandbox.core.people import ALLOW, DENY, Action, Question


class Approvals:
    """People who are somewhere else, at a page for instance: they see what is ``pending`` and answer it, or do not.

    An agent that they ``take`` does what they ``key`` for it, an action a tick, and nothing where they key none.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pending: dict[int, Question] = {}  # by agent: each waits for one answer at a time
        self._answers: dict[int, Action] = {}
        self._taken: set[int] = set()
        self._lost: set[int] = set()
        self._views: dict[int, Question] = {}  # what taken agents perceive now
        self._keyed: dict[int, Action] = {}  # for the tick that comes
        self._gone = False

    @property
    def pending(self) -> list[Question]:
        """What waits for an answer now, in the order of the agents."""
        with self._changed:
            return [self._pending[agent] for agent in sorted(self._pending.keys() - self._answers.keys())]

    def answer(self, agent: int, words: str) -> None:
        """What the agent is to do: ``allow``, ``deny``, or an action such as ``click 3``; empty: nothing.

        Raises UsageError where nothing waits for that agent, and for what is no action of its now.
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
        """Nobody is there any more: what waits is not answered, and nothing waits again."""
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    # -- taking over ---------------------------------------------------------------------------------------------------

    def take(self, agent: int) -> None:
        """From the tick that comes on, a person steers this agent."""
        with self._changed:
            self._lost.discard(agent)
            self._taken.add(agent)

    def lose(self, agent: int) -> None:
        """From the next tick on this agent stands still, and neither a person nor its reasoner acts for it."""
        with self._changed:
            self._forget(agent)
            self._lost.add(agent)

    def release(self, agent: int) -> None:
        """From the tick that comes on, the agent decides for itself again."""
        with self._changed:
            self._forget(agent)

    def _forget(self, agent: int) -> None:
        self._taken.discard(agent)
        self._lost.discard(agent)
        self._views.pop(agent, None)
        self._keyed.pop(agent, None)

    @property
    def taken(self) -> list[int]:
        """The agents that a person steers."""
        with self._changed:
            return sorted(self._taken)

    @property
    def lost(self) -> list[int]:
        """The agents that stand still."""
        with self._changed:
            return sorted(self._lost)

    @property
    def steered(self) -> list[Question]:
        """What the agents that a person steers perceive, and what they can do, as far as was told."""
        with self._changed:
            return [self._views[agent] for agent in sorted(self._views)]

    def tell(self, questions: Iterable[Question]) -> None:
        """What taken agents perceive now; called by the thread that runs the model, after each tick."""
        with self._changed:
            self._views = {question.agent: question for question in questions if question.agent in self._taken}

    def key(self, agent: int, words: str) -> None:
        """What a taken agent does in the tick that comes: ``click 3``; the last that is keyed before it counts.

        Raises UsageError for an agent that is not taken, and for what is no action of its now.
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

    def ask(self, questions: list[Question]) -> list[Action | None]:
        """See ``People``; called by the thread that runs the model."""
        began = time.monotonic()
        with self._changed:
            self._pending, self._answers = {question.agent: question for question in questions}, {}
            self._changed.notify_all()
            for question in questions:
                left = began + question.patience - time.monotonic()
                self._changed.wait_for(lambda agent=question.agent: self._gone or agent in self._answers, max(left, 0))
                if question.agent not in self._answers:
                    del self._pending[question.agent]  # too late from now on
            found = [self._answers.get(question.agent) for question in questions]
            self._pending, self._answers = {}, {}
            return found
