"""Verbs as tools and JSON schemas; replies as actions, checked against schema and mask."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from sandbox.agents.llm.parsing import Named, arguments_in, named_in, objects
from sandbox.agents.llm.request import Reply, compact, object_in
from sandbox.core.errors import UsageError, unknown
from sandbox.core.world import World

_SAID = {
    "reason": "Why this action, in a sentence or two.",
    "subgoal": "What you are working towards now, on the way to the task: keep it, or set a new one.",
}
FREE = 200  # characters of a free text that a grammar holds, at most
_WHOLE = re.compile(r"\s{0,9}[0-9]{1,9}(?:\.0{1,9})?\s{0,9}")  # a number as text
_ASCII = "^[ !#-\\[\\]-~]{0,%d}$"  # for grammars: a model that writes bytes may end in the middle of another character


class Choice(NamedTuple):
    """An action that a model chose, its reason, and its sub-goal."""

    verb: int
    target: int
    reason: str
    subgoal: str = ""


class ToolCall(NamedTuple):
    """A tool that a model wants to use before it acts."""

    name: str
    arguments: str  # JSON, as the model wrote it


class Unusable(Exception):
    """A reply that contains no usable action; the message explains it to the model."""


class Actions:
    """The verbs of a world, as they are offered to a language model.

    ``said``: the maximum lengths, in characters, of ``reason`` and ``subgoal``, which the model writes before it acts.
    ``extras``: tools that do not act, each with name, description and parameters.
    """

    def __init__(self, world: World, params: Any, said: Mapping[str, int], extras: Sequence[dict] = ()):
        self._world, self._verbs, self.targets, self._said = world, world.verbs, world.targets, dict(said)
        own = world.tools(params)
        self.tools = tuple(self._saying(tool) for tool in own)
        self.extras = {tool["name"]: tool for tool in extras}
        if taken := {*self.extras} & {*self._verbs}:
            raise UsageError(f"tool {min(taken)}: a verb of the world has that name")
        # The schema asks for these texts, but an action without them is accepted too.
        self._checks = {tool["name"]: Draft202012Validator(tool["parameters"]) for tool in own}
        self._aimed = {tool["name"] for tool in self.tools if "target" in tool["parameters"]["properties"]}

    def _saying(self, tool: dict) -> dict:
        own = tool["parameters"]
        words = {name: {"type": "string", "description": _SAID[name]} for name in self._said}
        required = [*words, *own.get("required", [])]
        changed = {"properties": words | own["properties"]} | ({"required": required} if required else {})
        return tool | {"parameters": own | changed}

    # -- sent ----------------------------------------------------------------------------------------------------------

    def only(self, choices: Sequence[Choice]) -> np.ndarray:
        """The mask (A,) bool in which only these choices are legal."""
        mask = np.zeros(len(self._verbs) * self.targets, bool)
        mask[[choice.verb * self.targets + choice.target for choice in choices]] = True
        return mask

    def in_words(self, mask: np.ndarray) -> str:
        """The legal actions as a list in text."""
        legal = self._world.legal(mask).items()
        return "; ".join(f"{verb} {', '.join(map(str, at))}" if verb in self._aimed else verb for verb, at in legal)

    def named(self, choice: Choice) -> str:
        """An action as text."""
        verb = self._verbs[choice.verb]
        return f"{verb} {choice.target}" if verb in self._aimed else verb

    def schema(self, mask: np.ndarray, extras: Sequence[dict] = ()) -> dict:
        """The JSON schema of the legal actions and of ``extras``: a union, one member for each verb or tool."""
        members = [self._member(verb, targets) for verb, targets in self._world.legal(mask).items()]
        shared: dict[str, Any] = {}
        for tool in extras:
            parameters = _grammatical(tool["parameters"])
            shared |= parameters.pop("$defs", {})
            properties = {"tool": {"const": tool["name"]}, "arguments": parameters}
            members.append({"type": "object", "properties": properties, "required": [*properties],
                            "additionalProperties": False})  # fmt: skip
        return {"oneOf": members} | ({"$defs": shared} if shared else {})

    def _member(self, verb: str, targets: list[int]) -> dict:
        words = {name: {"type": "string", "pattern": _ASCII % most} for name, most in self._said.items()}
        properties = words | {"verb": {"const": verb}} | ({"target": {"enum": targets}} if verb in self._aimed else {})
        return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}

    def example(self) -> str:
        """An example of the expected JSON text: an action that has all parts."""
        verb = next((tool["name"] for tool in self.tools if tool["name"] in self._aimed), self._verbs[0])
        words = dict.fromkeys(self._said, "...")
        return json.dumps(words | {"verb": verb} | ({"target": 0} if verb in self._aimed else {}))

    def written(self, verb: int, target: int) -> str:
        """An action as the expected JSON text, without reason and sub-goal."""
        name = self._verbs[verb]
        return json.dumps({"verb": name} | ({"target": target} if name in self._aimed else {}))

    def described(self) -> str:
        """The verbs with their meanings, a line for each."""
        lines = []
        for tool in self.tools:
            target = tool["parameters"]["properties"].get("target", {})
            about = f" `target`: {target.get('description', 'a number')}." if target else ""
            lines.append(f"- {tool['name']}: {tool['description']}{about}")
        return "\n".join(lines)

    def extras_described(self, schemas: bool) -> str:
        """The other tools with their meanings; ``schemas`` adds the schemas of their arguments."""
        lines = []
        for tool in self.extras.values():
            about = f" Arguments: {json.dumps(tool['parameters'])}" if schemas else ""
            lines.append(f"- {tool['name']}: {tool['description']}{about}")
        return "\n".join(lines)

    # -- read ----------------------------------------------------------------------------------------------------------

    def read(self, reply: Reply, mask: np.ndarray, hosted: bool) -> tuple[Choice | ToolCall, str]:
        """The one action or tool that a reply names, and in what way the reply differs from the requested form.

        Raises Unusable, with a text for the model, if it names no action or tool usable now, or more than one.
        """
        fits: dict[tuple, tuple[Choice | ToolCall, str]] = {}
        problems = []
        for named in named_in(reply, {*self._checks, *self.extras}, hosted):
            try:
                said, ways = self._said_in(named, mask)
            except Unusable as problem:
                problems.append(problem)
            else:
                fits.setdefault(_same(said), (said, ", ".join(dict.fromkeys(ways))))
        if len(fits) > 1:
            told = " and ".join(self._told(said) for said, _ in [*fits.values()][:2])
            raise Unusable(f"expected one action, got {told}")
        if not fits:
            raise problems[0] if problems else Unusable(_nothing(reply, hosted))
        (found,) = fits.values()
        return found

    def _said_in(self, named: Named, mask: np.ndarray) -> tuple[Choice | ToolCall, Sequence[str]]:
        """The named action or tool, checked against its schema and the mask, and how it differs from the schema."""
        if named.name in self.extras:
            return ToolCall(named.name, named.arguments), named.ways
        if named.name not in self._checks:
            raise Unusable(str(unknown("action", named.name[:40], (*self._verbs, *self.extras))))
        given = arguments_in(named.arguments)
        if given is None:
            raise Unusable(f"{named.name}: expected a JSON object as arguments, got {named.arguments[:80]!r}")
        reason, subgoal = (str(given.pop(name, None) or "")[:most] for name, most in self._words())
        if (given.get("verb") or named.name) != named.name:  # a native call with another action as its arguments
            raise Unusable(f"expected one action, got '{named.name}' and {str(given['verb'])[:40]!r}")
        arguments, ways = self._conformed(named.name, given)
        if error := best_match(self._checks[named.name].iter_errors(arguments)):
            raise Unusable(f"{'.'.join(map(str, error.path)) or named.name}: {error.message[:200]}")
        number, target = self._verbs.index(named.name), int(arguments.get("target", 0))
        choice = Choice(number, target, reason, subgoal)
        if not (0 <= target < self.targets and mask[number * self.targets + target]):
            raise Unusable(f"'{self.named(choice)}' has no effect now")
        return choice, (*named.ways, *ways)

    def _words(self) -> list[tuple[str, int]]:
        """The texts that a model may write beside its action, and the number of characters of each that are kept."""
        return [(name, self._said.get(name, 0)) for name in _SAID]

    def _conformed(self, verb: str, given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Arguments converted to the form of the verb's schema, and a list of the differences found."""
        own, found, ways = self._checks[verb].schema["properties"], {}, []
        for key, value in given.items():
            if value is None:
                ways.append("null")
            elif key not in own:
                ways.append("extra keys")
            elif own[key].get("type") == "integer" and isinstance(value, str) and _WHOLE.fullmatch(value):
                found[key] = int(value.partition(".")[0])
                ways.append("number as text")
            else:
                found[key] = value
        return found, ways

    def _told(self, said: Choice | ToolCall) -> str:
        return f"'{self.named(said) if isinstance(said, Choice) else said.name}'"


def _same(said: Choice | ToolCall) -> tuple:
    """A key that is equal for equal actions or tool uses, whatever their reasons are."""
    if isinstance(said, Choice):
        return said[:2]
    arguments = arguments_in(said.arguments)
    return said.name, said.arguments if arguments is None else compact(arguments)


def _nothing(reply: Reply, hosted: bool) -> str:
    """The error text for a reply that names nothing."""
    if hosted:
        return "no tool was called"
    written = [reply.text[begin:end] for begin, end in objects(reply.text)]
    if any(object_in(text) is not None for text in written):
        return 'expected an object with a "verb"'
    wrong = " with each key once, finite numbers and Unicode text" if written else ""
    return f"expected a JSON object{wrong}, got {reply.text[:80]!r}"


def _grammatical(schema: Any) -> Any:
    """A copy in which free text is limited to characters that grammars of local models support (see _ASCII)."""
    if isinstance(schema, list):
        return [_grammatical(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    free = schema.get("type") == "string" and not {"enum", "const", "pattern", "format"} & schema.keys()
    dropped = {"maxLength", "default"} if free else {"default"}
    found = {key: _grammatical(value) for key, value in schema.items() if key not in dropped}
    return found | ({"pattern": _ASCII % min(FREE, schema.get("maxLength", FREE))} if free else {})


def as_object(text: str) -> dict:
    found = object_in(text)
    if found is None:
        raise Unusable(f"expected a JSON object, got {text[:80]!r}")
    return found
