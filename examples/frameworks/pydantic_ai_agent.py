# /// script
# dependencies = ["pydantic-ai-slim[openai]>=2.68,<3"]
# ///
"""An agent of pydantic-ai. Its run ends with the output tool ``act``."""

from player import BASE_URL, CALLS, KEY, MODEL, RETRIES, Player
from pydantic_ai import Agent, ModelRetry, ToolOutput, UsageLimits
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


class PydanticAI(Player):
    def build(self, instructions):
        tools = self.tools

        def act(verb: str, target: int = 0) -> str:
            told = tools.act(verb, target)
            if tools.action is None:
                raise ModelRetry(told)
            return told

        output = ToolOutput(act, name="act", description=tools.act.__doc__)
        model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=BASE_URL, api_key=KEY))
        settings = {"timeout": self.timeout, "max_retries": RETRIES}
        return Agent(
            model, instructions=instructions, tools=[tools.observe, tools.say], output_type=output, retries=RETRIES,
            model_settings=settings,
        )  # fmt: skip

    def play(self, prompt):
        self.agent.run_sync(prompt, usage_limits=UsageLimits(request_limit=CALLS))
