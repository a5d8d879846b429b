"""``memory = {...}``: the kind of an agent's memory, and its share of the prompt."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

KINDS = ("none", "window", "blocks", "map")
Embedding = Literal["hash", "wordllama"]

Share = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


class Block(_Table):
    """A block of core memory: always in the prompt, and edited by the model."""

    label: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    """Name of the block: small letters, digits and _."""
    description: str = Field("", max_length=200)
    """Purpose of the block, as the model reads it."""
    value: str = ""
    """Text that the block begins with."""
    limit: int = Field(800, ge=1, le=1_000_000)
    """Most bytes (UTF-8) of the block's text; four bytes count as one token."""
    read_only: bool = False
    """Whether the model cannot edit the block."""

    @model_validator(mode="after")
    def _fits(self):
        if len(self.value.encode()) > self.limit:
            raise ValueError(f"the value of block '{self.label}' is longer than its limit of {self.limit} bytes")
        return self


class Weights(_Table):
    """Weights of the sum that is an entry's score; each part is in 0..1. docs/memory.md measures the defaults."""

    relevance: Share = 3.0
    """Weight of how well the entry fits the present percept."""
    recency: Share = 0.25
    """Weight of how new the entry is."""
    importance: Share = 0.25
    """Weight of how important the entry is."""


OWN_BLOCKS = (
    Block(label="plan", description="what you are about to do, step by step"),
    Block(label="facts", description="what you have found out and must not forget"),
)


class MemoryOptions(_Table):
    """The memory of the agents of a group."""

    kind: Literal["none", "window", "blocks", "map"] = "none"
    """Memory in the prompt: nothing, the latest experiences, blocks with search, or a believed map."""
    context: int = Field(4_000, ge=200, le=1_000_000)
    """Most tokens of the prompt that memory fills."""
    blocks: tuple[Block, ...] = Field(OWN_BLOCKS, strict=False)
    """For the kind blocks: blocks of core memory, which are always in the prompt."""
    recalled: int = Field(3, ge=0, le=100)
    """For the kind blocks: relevant entries that are put into the prompt unasked; 0: only by search."""
    summary: Literal["digest", "model"] = "digest"
    """How experiences that no longer fit are summed up: digest (without a model) or model (one more call)."""
    decay: float = Field(0.995, gt=0, le=1)
    """Factor of an entry's recency for each tick that passes."""
    embedding: Embedding = "hash"
    """Vectors of a search: hashed words (hash), or learned ones (wordllama, extra embed), which find synonyms."""
    weights: Weights = Weights()
    """Weights of an entry's score in a search."""

    @model_validator(mode="after")
    def _room(self):
        labels = [block.label for block in self.blocks]
        if len({*labels}) < len(labels):
            raise ValueError("each block needs a label of its own")
        core = sum(block.limit + len(block.description.encode()) + 100 for block in self.blocks)
        if self.kind == "blocks" and core > 2 * self.context:
            raise ValueError(f"blocks can fill {core // 4} tokens, expected half of context = {self.context} at most")
        return self
