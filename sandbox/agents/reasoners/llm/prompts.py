"""What a language model is sent. The texts are files beside this one; a scenario may put others in their place."""

from collections.abc import Sequence
from functools import cache, cached_property
from importlib.resources import files
from string import Template

import numpy as np

from sandbox.agents.reasoners.llm.actions import Actions, Choice
from sandbox.agents.reasoners.llm.options import PROMPTS, Options
from sandbox.agents.reasoners.llm.request import Request, Setup, key_of
from sandbox.core.decision import Percept
from sandbox.core.observation import Observation
from sandbox.engine.stage import Stage


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath("prompts", f"{name}.md").read_text(encoding="utf-8").strip()


class Prompts:
    """Requests in a world's own words, for agents of one ``role`` with a common task."""

    def __init__(self, options: Options, stage: Stage, role: str):
        self._options, self._stage, self._role = options, stage, role
        said = {"reason": options.reason, "subgoal": options.subgoal}
        self.actions = Actions(stage.world, stage.rules, {name: most for name, most in said.items() if most})

    def __reduce__(self):
        return Prompts, (self._options, self._stage, self._role)

    def setup(self, price: tuple[float, float] = (0.0, 0.0)) -> Setup:
        """What comes first in every request."""
        options, actions, known = self._options, self.actions, self._stage.world
        answer = self._fill("tools") if options.hosted else self._fill(
            "json", example=actions.example(), verbs=actions.described()
        )  # fmt: skip
        world = {"world": known.name, "summary": known.summary, "role": self._role, "task": self._stage.task.texts[0]}
        return Setup(
            model=options.model, instructions=self._fill("system", answer=answer, **world),
            tools=actions.tools if options.hosted else (), max_tokens=options.max_tokens,
            temperature=options.temperature, price=price,
        )  # fmt: skip

    def words(self, percept: Percept) -> str:
        """What the agent perceives, as the world puts it."""
        # The world reads the agent's row of a lane; all rows are the percept, and none is copied.
        rows = (np.broadcast_to(part, (1, percept.agent + 1, *part.shape)) for part in percept[2:])
        return self._stage.world.text(Observation(*rows), 0, percept.agent, self._stage.rules)

    def turn(self, words: str, subgoal: str) -> str:
        """The prompt of a decision; ``subgoal``: what the agent has set itself, empty at first."""
        told = self._fill("subgoal", words=words, subgoal=subgoal) if subgoal else words
        return self._fill("turn", words=told)

    def judge(self, prompt: str, choices: Sequence[Choice]) -> str:
        """The prompt of the call that takes one of several proposals."""
        lines = (f"- {self.actions.named(choice)}: {choice.reason or 'no reason'}" for choice in choices)
        return self._fill("judge", words=prompt, proposals="\n".join(lines))

    def repair(self, words: str, problem: str, mask: np.ndarray) -> str:
        return self._fill("repair", words=words, problem=problem, legal=self.actions.in_words(mask))

    def request(self, setup: Setup, percept: Percept, prompt: str, sample: int = 0, attempt: int = 0) -> Request:
        """What is sent; ``percept.mask`` holds the actions to choose from."""
        schema = None if self._options.hosted else self.actions.schema(percept.mask)
        key = key_of(setup, prompt, schema, sample)
        return Request(percept.tick + 1, percept.agent, sample, attempt, prompt, schema, key)

    def _fill(self, name: str, **values: str) -> str:
        return self._templates[name].safe_substitute(values)

    @cached_property
    def _templates(self) -> dict[str, Template]:
        return {name: Template(self._options.prompts.get(name, _file(name))) for name in PROMPTS}
