"""What the six examples share: the model, the three tools, and a run of the framework in each tick.

The model is any OpenAI-compatible server, named by ``OPENAI_BASE_URL``, ``OPENAI_API_KEY`` and ``OPENAI_MODEL``.
"""

import os
import threading

from sandbox.agents.python.api import PASS
from sandbox.core.errors import UsageError

BASE_URL = os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")
KEY = os.environ.get("OPENAI_API_KEY", "none")
MODEL = os.environ.get("OPENAI_MODEL", "gpt-5.2")
CALLS = 6  # of the model in one tick, at most
RETRIES = 2  # of a call that the server refused
INSTRUCTIONS = "In every tick: call observe, then call act once. You may call say in between."
PROMPT = "Play this tick."


class Tools:
    """The tools of one agent. ``action`` is what it chose in this tick, None before."""

    def begin(self, observation, legal):
        """A new tick."""
        self._team, self._words, self._legal, self._lock = observation.team, observation.words, legal, threading.Lock()
        self.action = None

    def observe(self) -> str:
        """Look at what you perceive now, and at the actions that have an effect."""
        return self._words

    def act(self, verb: str, target: int = 0) -> str:
        """Choose your action of this tick.

        Args:
            verb: one of the verbs that observe lists.
            target: the number of its target; 0 for a verb without targets.
        """
        if target not in self._legal.get(verb, ()):
            return f"{verb} {target} has no effect now. Choose another action."
        self.action = verb, target
        return "done"

    def say(self, text: str, to: str = "all") -> str:
        """Say something to your team.

        Args:
            text: what you say.
            to: the name of an agent, or all.
        """
        with self._lock:  # frameworks call tools in several threads
            try:
                return self._team.tell(text, to)
            except UsageError as error:  # nobody of that name, or no team
                return str(error)


class Player:
    """An agent for Sandbox. A subclass makes the framework's agent in ``build`` and runs it in ``play``."""

    def __init__(self, timeout=20.0):
        self.timeout, self.tools, self.agent = timeout, Tools(), None

    def act(self, observation, legal):
        """Run the framework in this tick. Where it fails or does not act, the agent's fallback acts."""
        self.tools.begin(observation, legal)
        if self.agent is None:
            self.agent = self.build(f"{observation.brief}\n\n{INSTRUCTIONS}")
        try:
            self.play(PROMPT)
        except Exception as error:
            print(f"{type(error).__name__}: {error}")  # the record keeps it
        return self.tools.action or PASS
