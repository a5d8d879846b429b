"""``[agents.generalist]``: what an agent is told, and the weights of its net."""

from pydantic import BaseModel, ConfigDict, Field

GENERALIST = "generalist"  # the reasoner


class GeneralistOptions(BaseModel):
    """Options of the reasoner ``generalist``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    instruction: str = Field(min_length=1, max_length=400)
    """What the agent is told, in a sentence, such as "pick up an onion"."""
    weights: str = Field("", max_length=4_000)
    """Path of weights that `sandbox learn generalist` has written; without it, those of the package."""
    sha256: str = Field("", pattern="^([0-9a-f]{64})?$")
    """SHA-256 of the weights, which a record contains; a file with other weights is refused."""
