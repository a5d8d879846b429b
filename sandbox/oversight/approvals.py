"""Questions that wait for people, who may answer from any thread: what to do, and whether an agent may do it."""

import threading
import time

from sandbox.core.errors import UsageError
from sandbox.core.people import ALLOW, DENY, Action, Question


class Approvals:
    """People who are somewhere else, at a page for instance: they see what is ``pending`` and answer it, or do not."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pending: dict[int, Question] = {}  # by agent: each waits for one answer at a time
        self._answers: dict[int, Action] = {}

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
                raise UsageError(f"agent {agent}: nothing waits for an answer")
            self._answers[agent] = self._pending[agent].read(words)
            self._changed.notify_all()

    def allow(self, agent: int) -> None:
        self.answer(agent, ALLOW)

    def deny(self, agent: int) -> None:
        self.answer(agent, DENY)

    def ask(self, questions: list[Question]) -> list[Action | None]:
        """See ``People``; called by the thread that runs the model."""
        began = time.monotonic()
        with self._changed:
            self._pending, self._answers = {question.agent: question for question in questions}, {}
            self._changed.notify_all()
            for question in questions:
                left = began + question.patience - time.monotonic()
                self._changed.wait_for(lambda agent=question.agent: agent in self._answers, max(left, 0))
                if question.agent not in self._answers:
                    del self._pending[question.agent]  # too late from now on
            found = [self._answers.get(question.agent) for question in questions]
            self._pending, self._answers = {}, {}
            return found
