"""A language model writes skills: one prompt, one reply with a program, and the failure in the next prompt."""

from collections.abc import Collection
from importlib.resources import files
from string import Template

from sandbox.agents.llm.parsing import values_in
from sandbox.agents.llm.request import Client, Reply, Request, Setup, key_of
from sandbox.agents.programs.step_limit import with_step_limit
from sandbox.agents.skills.library import Library, Skill
from sandbox.agents.skills.writer import Feedback
from sandbox.core.errors import UsageError
from sandbox.core.world import World

_TEXT = {"type": "string"}
SCHEMA = {
    "type": "object", "properties": {"description": _TEXT, "program": _TEXT},
    "required": ["description", "program"], "additionalProperties": False,
}  # fmt: skip
_KEYS = {*SCHEMA["required"]}
SECONDS = 120.0  # that a reply may take


class Prompted:
    """Writes skills by asking a model. An unusable reply becomes a program without effect; the next prompt says why."""

    def __init__(self, world: World, client: Client, setup: Setup):
        self._world, self._client, self._setup = world, client, setup
        self._asked, self._feedback, self._problem = 0, {}, ""

    def write(self, task: str, library: Library, known: Collection[str]) -> Skill:
        prompt = self._prompt(task, library, known)
        self._asked += 1
        key = key_of(self._setup, prompt, SCHEMA, 0)
        (answer,) = self._client.ask([Request(self._asked, 0, 0, 0, prompt, SCHEMA, key)], SECONDS)
        self._problem = ""
        try:
            return _read(task, answer.reply or Reply(answer.error), library)
        except UsageError as error:
            self._problem = str(error)
            return Skill(task, "", f"def to_{task}():\n    pass\n")

    def learn(self, skill: Skill, feedback: Feedback, library: Library) -> list[Skill]:
        told = self._problem or feedback.error or "it ran, but the task was not achieved"
        self._feedback[skill.name] = "" if feedback.success else f"The last try failed: {told}.\n{skill.program}"
        return [skill] * feedback.success

    def _prompt(self, task: str, library: Library, known: Collection[str]) -> str:
        ladder, words = self._world.ladder, task.replace("_", " ")
        skills = [f"to_{skill.name}(): {skill.description}" for skill in library.retrieve(words)]
        takes = [f"{ladder.graph.edges[node, task]['amount']} x {node}" for node in ladder.graph.predecessors(task)]
        return Template(files(__package__).joinpath("prompts", "skill.md").read_text(encoding="utf-8")).substitute(
            world=self._world.name, summary=self._world.summary, task=words, name=task,
            takes=", ".join(takes) or "nothing", verbs=", ".join(ladder.verbs), places=", ".join(ladder.places),
            skills="\n".join(skills) or "none yet", known=", ".join(known), feedback=self._feedback.get(task, ""),
        )  # fmt: skip


def _read(task: str, reply: Reply, library: Library) -> Skill:
    """The one skill in a reply; raises UsageError for none, or more than one."""
    fits = {(str(value["description"]), str(value["program"])) for value in values_in(reply) if value.keys() >= _KEYS}
    if len(fits) != 1:
        raise UsageError(f"expected a JSON object with description and program, got {reply.text[:80]!r}")
    ((description, program),) = fits
    with_step_limit(program)
    if f"def to_{task}(" not in program:
        raise UsageError(f"expected a function to_{task}()")
    calls = tuple(skill.name for skill in library if f"to_{skill.name}(" in program and skill.name != task)
    return Skill(task, description, program, calls)
