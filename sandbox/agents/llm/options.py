"""``llm = {...}``: the model, how it is called, and its budget."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sandbox.core.errors import unknown

HOSTED = ("openai", "anthropic", "google")  # get one tool for each verb; all others a JSON schema
KINDS = (*HOSTED, "local", "gguf", "gemma", "scripted")
ALONE = ("gemma", "scripted")  # kinds that need no name
PROMPTS = (  # the files in prompts/
    "system", "tools", "json", "extras", "memory", "turn", "subgoal", "tool", "judge", "repair", "summary", "base",
    "example",
)  # fmt: skip

Amount = Annotated[int, Field(ge=0)]
Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


class Budget(_Table):
    """What a group of agents may spend in one episode, all together."""

    calls: Amount | None = None
    """Most calls of the model in one episode; without it, no limit."""
    tokens: Amount | None = None
    """Most tokens, read and written, in one episode; without it, no limit."""
    money: Dollars | None = None
    """Most US dollars in one episode; without it, no limit."""
    seconds: Dollars | None = None
    """Most seconds of waiting for the model in one episode; without it, no limit."""


class Thinking(_Table):
    """How long a decision takes in the world's time; meanwhile the agent waits. At most one of the two."""

    ticks: Amount = 0
    """Ticks that each decision takes."""
    tokens_per_tick: Annotated[int, Field(ge=1)] | None = None
    """Tokens of output that the model writes in one tick."""

    @model_validator(mode="after")
    def _one(self):
        if self.ticks and self.tokens_per_tick:
            raise ValueError("ticks or tokens_per_tick, not both")
        return self


class Price(_Table):
    """Price of tokens."""

    input: Dollars
    """US dollars for a million tokens that the model reads."""
    output: Dollars
    """US dollars for a million tokens that the model writes."""


class Line(_Table):
    """One reply of a scripted model: an action and its reason, or any text, or an error."""

    verb: str | None = None
    """Verb of the action."""
    target: int | None = None
    """Number of the action's target."""
    reason: str = ""
    """Reason that the model gives for the action."""
    subgoal: str = ""
    """Sub-goal that the model sets itself."""
    tool: str | None = None
    """Name of a tool that is called instead of an action."""
    arguments: dict[str, Any] = {}
    """Arguments of the tool."""
    text: str = ""
    """Raw text of the reply, instead of an action or a tool."""
    error: str = ""
    """Error that the call ends with, instead of a reply."""
    tokens: Amount = 0
    """Tokens of output that are counted for this reply."""


class Options(_Table):
    """How a group of agents asks its language model."""

    model: str
    """openai:NAME, anthropic:NAME, google:NAME, local:http://HOST:PORT/v1[#NAME], gguf:PATH, gemma, scripted[:PATH]."""
    style: Literal["chat", "base"] | None = None
    """Kind of prompt: instructions (chat), or a text to continue for a base model; without it, base for gemma only."""
    examples: int = Field(8, ge=0, le=100)
    """Most decisions of the policy rules in another episode that a prompt for a base model begins with."""
    replies: list[Line] = []
    """Replies of a scripted model, one for each call; each agent begins with the first."""
    max_tokens: int = Field(512, ge=1)
    """Most tokens of one reply."""
    temperature: float | None = Field(None, ge=0, le=2)
    """Sampling temperature; without it, the model's own default."""
    timeout: float = Field(30.0, gt=0, le=3600)
    """Seconds after which one call is given up."""
    retries: int = Field(2, ge=0, le=10)
    """Further calls for a decision where one fails or its reply is unusable."""
    concurrency: int = Field(64, ge=1, le=10_000)
    """Most calls at the same time."""
    samples: int = Field(1, ge=1, le=100)
    """Replies that are asked for each decision."""
    choose: Literal["vote", "judge"] = "vote"
    """How one of several samples is chosen: the most frequent action, or one more call as a judge."""
    reason: int | None = Field(None, ge=0)
    """Most characters of the reason that the model gives first; 0: none. Without it 200, for a base model 0."""
    tool_calls: int = Field(4, ge=0, le=100)
    """Most calls of tools in one decision; each is one more request."""
    subgoal: int = Field(0, ge=0)
    """Most characters of a sub-goal that the model sets itself and is reminded of; 0: no sub-goal."""
    context: int = Field(8192, ge=256)
    """Tokens in the context window of gemma or a gguf model."""
    budget: Budget = Budget()
    """What the group may spend in one episode, all its agents together."""
    thinking: Thinking = Thinking()
    """How many ticks of the world a decision takes."""
    price: Price | None = None
    """Price of tokens; without it, list prices for hosted models and 0 for all others."""
    prompts: dict[str, str] = {}
    """Texts that replace the package's prompts, by the prompt's name."""

    @field_validator("model")
    @classmethod
    def _known(cls, model: str) -> str:
        kind, _, name = model.partition(":")
        if kind not in KINDS:
            raise ValueError(str(unknown("kind of model", kind, KINDS)))
        if kind == "local" and not name.startswith(("http://", "https://")):
            raise ValueError("expected local:http://HOST:PORT/v1, or with #NAME for one of several models")
        if not name and kind not in ALONE:
            raise ValueError(f"expected {kind}: and a name")
        if name and kind == "gemma":
            raise ValueError("expected gemma without a name")
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

    @property
    def base(self) -> bool:
        """Whether the model continues a text."""
        return (self.style or ("base" if self.kind == "gemma" else "chat")) == "base"

    @property
    def reason_length(self) -> int:
        """Most characters of the reason that the model gives."""
        return self.reason if self.reason is not None else 0 if self.base else 200

    @model_validator(mode="after")
    def _continued(self):
        if self.style == "base" and self.hosted:
            raise ValueError(f"style: base models are local:, gguf: or gemma, not {self.kind}:")
        return self
