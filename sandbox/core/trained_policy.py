"""``reasoner = "policy:FILE"``: a policy that ``sandbox learn policy`` has trained, named by its file of weights."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

KIND = "policy"
PREFIX = f"{KIND}:"


class WeightsOptions(BaseModel):
    """The weights of the reasoner ``policy:...``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    sha256: str = Field("", pattern="^([0-9a-f]{64})?$")
    """SHA-256 of the file of weights, which a record contains; a file with other weights is refused."""


class TrainedPolicy(NamedTuple):
    """A trained policy: the path of its weights, or the name of weights that the package has; and their SHA-256."""

    file: str
    sha256: str = ""  # hexadecimal; "": any


def is_trained(reasoner: object) -> bool:
    """Whether a reasoner is named by its weights."""
    return isinstance(reasoner, str) and reasoner.startswith(PREFIX)
