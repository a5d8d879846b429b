"""The requests to a language model. The texts are files beside this one; a scenario can replace them."""

from collections.abc import Sequence
from functools import cache, cached_property
from importlib.resources import files
from string import Template

import numpy as np

from sandbox.agents.context import AgentContext
from sandbox.agents.llm.actions import Actions, Choice, ToolCall, Unusable, as_object
from sandbox.agents.llm.examples import worked
from sandbox.agents.llm.options import PROMPTS, Options
from sandbox.agents.llm.request import Request, Setup, key_of
from sandbox.agents.memory.tokens import clip
from sandbox.agents.speech import Speech, observed
from sandbox.core.decision import Percept
from sandbox.engine.environment import Environment

ECHOED = 400  # bytes of a tool's arguments that the model is reminded of
# For the grammars of llama.cpp (llguidance), which else allow blank lines, that a base model writes at length.
COMPACT = {"x-guidance": {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}}
SUMMARY_TOOL = {
    "name": "memory_summary",
    "description": "Only when you are asked for it: what you must not forget, in short.",
    "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"],
                   "additionalProperties": False},
}  # fmt: skip


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath("prompts", f"{name}.md").read_text(encoding="utf-8").strip()


class Prompts:
    """Requests with the texts of a world, for agents of one ``role`` with a common task and the tools ``extras``."""

    def __init__(self, options: Options, env: Environment, role: str, extras: Sequence[dict] = ()):
        self._options, self._env, self._role, self._extras = options, env, role, tuple(extras)
        said = {"reason": options.reason_length, "subgoal": options.subgoal}
        self.actions = Actions(env.world, env.params, {name: most for name, most in said.items() if most}, extras)

    def __reduce__(self):
        return Prompts, (self._options, self._env, self._role, self._extras)

    def setup(self, price: tuple[float, float] = (0.0, 0.0)) -> Setup:
        """The common beginning of every request."""
        options, actions, known = self._options, self.actions, self._env.world
        verbs = actions.described()
        answer = (
            self._fill("tools") if options.hosted else "" if options.base
            else self._fill("json", example=actions.example(), verbs=verbs)
        )  # fmt: skip
        if actions.extras:
            form = "" if options.hosted else '\nThat answer is an object {"tool": NAME, "arguments": {...}}.'
            told = actions.extras_described(not options.hosted)
            answer += "\n\n" + self._fill("extras", most=str(options.tool_calls), tools=told, form=form)
        world = {"world": known.name, "summary": known.summary, "role": self._role, "task": self._env.task.texts[0]}
        instructions = (
            self._fill("base", answer=answer, verbs=verbs, examples=self._examples(), **world) if options.base
            else self._fill("system", answer=answer, **world)
        )  # fmt: skip
        return Setup(
            model=options.model, instructions=instructions,
            tools=(*actions.tools, *actions.extras.values()) if options.hosted else (), max_tokens=options.max_tokens,
            temperature=options.temperature, price=price,
        )  # fmt: skip

    def words(self, percept: Percept, speech: Speech | None = None) -> str:
        """The agent's percept in the world's text, and the messages of its team."""
        return observed(self._env, percept, speech)

    def turn(self, words: str, subgoal: str = "", memory: str = "", tick: int = 0) -> str:
        """The prompt of a decision; ``subgoal``: which the agent has set itself, ``memory``: its memory as text."""
        told = self._fill("memory", words=words, memory=memory, tick=str(tick)) if memory else words
        told = self._fill("subgoal", words=told, subgoal=subgoal) if subgoal else told
        return self._fill("turn", words=told)

    def judge(self, prompt: str, choices: Sequence[Choice]) -> str:
        """The prompt of the call that selects one of several proposals."""
        lines = (f"- {self.actions.named(choice)}: {choice.reason or 'no reason'}" for choice in choices)
        return self._fill("judge", words=prompt, proposals="\n".join(lines))

    def answered(self, prompt: str, call: ToolCall, answer: str, left: int) -> str:
        """The prompt that continues after a tool has answered; ``left``: remaining calls in this decision."""
        arguments, more = clip(call.arguments, ECHOED), f"Calls left in this tick: {left}." if left else "Now act."
        return self._fill("tool", words=prompt, tool=call.name, arguments=arguments, answer=answer, left=more)

    def summary(self, words: str, most: int) -> str:
        """The prompt for a summary of ``words`` in at most ``most`` bytes."""
        return self._fill("summary", words=words, most=str(most))

    def repair(self, words: str, problem: str, mask: np.ndarray) -> str:
        return self._fill("repair", words=words, problem=problem, legal=self.actions.in_words(mask))

    def request(
        self, setup: Setup, percept: Percept, prompt: str, sample: int = 0, attempt: int = 0,
        extras: Sequence[dict] = (),
    ) -> Request:  # fmt: skip
        """The request to send; ``percept.mask`` has the actions to choose from, ``extras`` the tools."""
        schema = None if self._options.hosted else self.actions.schema(percept.mask, extras)
        if self._options.base:
            prompt, schema = self._fill("example", words=prompt, reply=""), COMPACT | schema
        key = key_of(setup, prompt, schema, sample)
        return Request(percept.tick + 1, percept.agent, sample, attempt, prompt, schema, key)

    def _examples(self) -> str:
        """Worked examples in the form of a decision, each after a blank line."""
        told = (
            self._fill("example", words=each.words, reply=self.actions.written(each.verb, each.target))
            for each in worked(self._env, self._options.examples)
        )
        return "".join(f"\n\n{each}" for each in told)

    def _fill(self, name: str, **values: str) -> str:
        return self._templates[name].safe_substitute(values)

    @cached_property
    def _templates(self) -> dict[str, Template]:
        return {name: Template(self._options.prompts.get(name, _file(name))) for name in PROMPTS}


def prompts_for(options: Options, env: Environment, role: str, mind: AgentContext) -> Prompts:
    """The prompts of a group of agents whose context has the tools and speech of ``mind``."""
    return Prompts(options, env, role, (*mind.extras, *([SUMMARY_TOOL] if mind.summarises else [])))


def summary_in(said: Choice | ToolCall) -> str:
    """The text of a summary; raises Unusable if there is none."""
    text = None
    if isinstance(said, ToolCall) and said.name == SUMMARY_TOOL["name"]:
        text = as_object(said.arguments or "{}").get("text")
    if not isinstance(text, str) or not text.strip():
        raise Unusable(f"expected a call of {SUMMARY_TOOL['name']} with a text")
    return text
