"""The options of a world model in a scenario, and of the search that imagines with it."""

from enum import IntEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.errors import UsageError, unknown
from sandbox.core.world import World


class Kind(IntEnum):
    """The kind of imagination. All except the first and the last are controls, which show the cause of a gain."""

    EXACT = 0  # the world's own kernels on a believed lane, with random draws of its own
    SHUFFLED = 1  # each candidate is imagined as the next one
    WRONG = 2  # physics of another world: every verb does what the next verb does
    CALM = 3  # one future, played as often as there are futures, with equal random draws
    LEARNED = 4  # a net that was trained on episodes, on a believed lane


class WorldModel(BaseModel):
    """How an agent with the reasoner ``search`` looks ahead."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    kind: Literal["exact", "shuffled", "wrong", "calm", "learned"] = "exact"
    """How futures are imagined: by the world's rules (exact), by a net (learned), or as a control (the others)."""
    weights: str = ""
    """For `learned`: the file of weights that `sandbox learn world-model` wrote; without it, those of the package."""
    sha256: str = Field("", pattern="^([0-9a-f]{64})?$")
    """The SHA-256 of these weights, which a record contains; other weights are refused."""
    horizon: int = Field(12, ge=0, le=10_000)
    """Ticks of one imagined future; 0: nothing is imagined."""
    futures: int = Field(32, ge=1, le=10_000)
    """Futures imagined for each candidate, with common random numbers."""
    candidates: int = Field(8, ge=1, le=1_000)
    """Number of actions that are compared, including the base policy's choice."""
    depth: int = Field(1, ge=1, le=1_000)
    """Length of the sequences of own actions that are searched; above 1, by UCT with as many futures."""
    base: str = "rules"
    """Policy that acts in futures, also for all other agents."""
    discount: float = Field(0.99, gt=0, le=1)
    """Discount factor of earnings, for each tick."""
    caution: float = Field(1.0, ge=0, le=100)
    """Standard errors by which a candidate must beat the base policy's action."""


def check_base(base: str, world: World, where: str) -> None:
    """Raise UsageError for a base policy that the world does not have, or that sees the state."""
    if not isinstance(base, str) or base not in world.policies:
        raise unknown("policy", base, set(world.policies) - world.sighted, where)
    if base in world.sighted:
        raise UsageError(f"{where}: '{base}' sees the state, so no agent can imagine it; expected one that observes")


def check_believes(world: World, where: str) -> None:
    """Raise UsageError if the world offers no beliefs, which imagination needs."""
    if world.believe is None:
        raise UsageError(f"{where}: the world '{world.name}' has no `believe`, so no agent can imagine there")
