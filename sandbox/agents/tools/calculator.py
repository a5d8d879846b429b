"""Arithmetic: an expression of Python, run by Monty within tight limits."""

from typing import Annotated

from pydantic import Field

from sandbox.agents.programs import process
from sandbox.core.errors import UsageError

LIMITS = process.Limits(calls=0, steps=10_000, memory=8 << 20, depth=50, seconds=2.0)
LONGEST = 1_000  # characters


def calculator(
    expression: Annotated[str, Field(description="such as (3 + 4) * 2 ** 0.5, or max(3, 7) // 2", max_length=LONGEST)],
) -> str:
    """Work out an arithmetic expression, written as in Python."""
    result = process.run(expression, limits=LIMITS)
    if result.error:
        raise UsageError(result.error)
    if result.value is None:
        raise UsageError("that has no value; expected an expression")
    return str(result.value)
