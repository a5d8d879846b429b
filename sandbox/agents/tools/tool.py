"""A typed Python function as a tool: annotations become the schema of its arguments, the docstring its description."""

import inspect
import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

from pydantic import PydanticUserError, TypeAdapter, ValidationError, validate_call
from pydantic.errors import PydanticSchemaGenerationError

from sandbox.agents.memory.tokens import clip
from sandbox.core.errors import SandboxError, UsageError
from sandbox.core.plain import utf8

ANSWER = 2_000  # bytes of an answer that a model reads
ERROR = 300  # of an error


class ToolError(Exception):
    """The error of a tool, one line for the model."""


class Tool:
    """A function that a model can call."""

    def __init__(self, name: str, function: Callable[..., Any]):
        self.name, self._function = name, function

    @cached_property
    def spec(self) -> dict[str, Any]:
        """Name, description, and the JSON schema of the arguments; names of definitions contain the tool's name."""
        try:
            parameters = TypeAdapter(self._function).json_schema(ref_template=f"#/$defs/{self.name}.{{model}}")
        except (PydanticUserError, PydanticSchemaGenerationError, ValueError) as error:
            raise UsageError(f"tool {self.name}: its arguments have no JSON schema ({_line(error)})") from None
        if parameters.get("type") != "object":
            raise UsageError(f"tool {self.name}: expected a function of named arguments")
        parameters = {key: value for key, value in _untitled(parameters).items() if key != "$defs"} | (
            {"$defs": {f"{self.name}.{key}": _untitled(value) for key, value in parameters["$defs"].items()}}
            if "$defs" in parameters else {}
        )  # fmt: skip
        about = inspect.cleandoc(self._function.__doc__ or self.name)
        return {"name": self.name, "description": about, "parameters": {**parameters, "additionalProperties": False}}

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        return tuple(self.spec["parameters"].get("properties", {}))

    def call(self, arguments: dict[str, Any]) -> str:
        """The answer as text; raises ToolError, one line, for any failure."""
        try:
            value = self._checked(**arguments)
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        except ValidationError as error:
            raise ToolError(_problem(error)) from None
        except SandboxError as error:
            raise ToolError(_line(error)) from None
        except (Exception, SystemExit) as error:  # a tool may raise anything, and the tick must go on
            raise ToolError(f"{type(error).__name__}: {_line(error)}") from None
        return clip(utf8(text), ANSWER)

    @cached_property
    def _checked(self) -> Callable[..., Any]:
        return validate_call(self._function)


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))
    got = "" if first["type"] == "missing_argument" else f", got {repr(first['input'])[:60]}"
    return clip(" ".join(f"{place}: {first['msg']}{got}".split()), ERROR)


def _line(error: BaseException) -> str:
    return clip(" ".join(utf8(str(error)).split()), ERROR)


def _untitled(schema: Any) -> Any:
    """A schema without the titles that pydantic derives from names; a model does not need them."""
    if isinstance(schema, dict):
        return {
            key: {name: _untitled(part) for name, part in value.items()} if key == "properties" else _untitled(value)
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str))
        }
    return [_untitled(part) for part in schema] if isinstance(schema, list) else schema
