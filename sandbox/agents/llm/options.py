"""``llm = {...}``: the model, how it is called, and its budget."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sandbox.core.errors import unknown

HOSTED = ("openai", "anthropic", "google")  # get one tool for each verb; all others a JSON schema
KINDS = (*HOSTED, "local", "gguf", "scripted")
PROMPTS = (  # the files in prompts/
    "system", "tools", "json", "extras", "memory", "turn", "subgoal", "tool", "judge", "repair", "summary",
)  # fmt: skip

Amount = Annotated[int, Field(ge=0)]
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Budget(_Table):
    """What a group of agents may spend in one episode, all together; None: no limit."""

    calls: Amount | None = None
    tokens: Amount | None = None
    money: Dollars | None = None  # US dollars
    seconds: Dollars | None = None  # of waiting for the model


class Thinking(_Table):
    """How long a decision takes in the world's time; meanwhile the agent waits. At most one of the two."""

    ticks: Amount = 0
    tokens_per_tick: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one(self):
        if self.ticks and self.tokens_per_tick:
            raise ValueError("ticks or tokens_per_tick, not both")
        return self


class Price(_Table):
    """US dollars for a million tokens; without it, list prices of the hosted models, and nothing for all others."""

    input: Dollars
    output: Dollars


class Line(_Table):
    """One reply of a scripted model: an action and its reason, or any text, or an error."""

    verb: str | None = None
    target: int | None = None
    reason: str = ""
    subgoal: str = ""
    tool: str | None = None  # instead of an action, with its arguments
    arguments: dict[str, Any] = {}
    text: str = ""
    error: str = ""  # in place of a reply
    tokens: Amount = 0  # of output, as if a model had written them


class Options(_Table):
    """How a group of agents asks its language model."""

    model: str  # openai:NAME, anthropic:NAME, google:NAME, local:http://HOST/v1[#NAME], gguf:PATH, scripted[:PATH]
    replies: list[Line] = []  # of a scripted model: each agent gets them from the first on, one a call
    max_tokens: int = Field(512, ge=1)  # of one reply
    temperature: float | None = Field(None, ge=0, le=2)  # None: the model's own
    timeout: float = Field(30.0, gt=0, le=3600)  # seconds, of one call
    retries: int = Field(2, ge=0, le=10)  # further calls where one fails or its reply is of no use
    concurrency: int = Field(64, ge=1, le=10_000)  # calls at once
    samples: int = Field(1, ge=1, le=100)  # replies for one decision
    choose: Literal["vote", "judge"] = "vote"  # of samples: the most frequent action, or what one more call says
    reason: int = Field(200, ge=0)  # characters in which the model says why, before it acts; 0: none are asked for
    tool_calls: int = Field(4, ge=0, le=100)  # in one decision, before it acts; each is one more request
    subgoal: int = Field(0, ge=0)  # characters of a sub-goal that it sets itself and is reminded of; 0: none
    context: int = Field(8192, ge=256)  # tokens of one conversation, of a gguf model
    budget: Budget = Budget()
    thinking: Thinking = Thinking()
    price: Price | None = None
    prompts: dict[str, str] = {}  # texts in place of the package's files: PROMPTS

    @field_validator("model")
    @classmethod
    def _known(cls, model: str) -> str:
        kind, _, name = model.partition(":")
        if kind not in KINDS:
            raise ValueError(str(unknown("kind of model", kind, KINDS)))
        if kind == "local" and not name.startswith(("http://", "https://")):
            raise ValueError("expected local:http://HOST:PORT/v1, or with #NAME for one of several models")
        if not name and kind != "scripted":
            raise ValueError(f"expected {kind}: and a name")
        return model

    @field_validator("prompts")
    @classmethod
    def _named(cls, prompts: dict[str, str]) -> dict[str, str]:
        for name in prompts:
            if name not in PROMPTS:
                raise ValueError(str(unknown("prompt", name, PROMPTS)))
        return prompts

    @property
    def kind(self) -> str:
        return self.model.partition(":")[0]

    @property
    def name(self) -> str:
        return self.model.partition(":")[2]

    @property
    def hosted(self) -> bool:
        """Whether verbs are tools."""
        return self.kind in HOSTED
