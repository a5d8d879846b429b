# /// script
# dependencies = ["openai-agents>=0.24,<0.25"]
# ///
"""An agent of the OpenAI Agents SDK, on the chat completions API, which every compatible server has."""

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    RunConfig,
    Runner,
    ToolsToFinalOutputResult,
    function_tool,
)
from openai import AsyncOpenAI
from player import BASE_URL, CALLS, KEY, MODEL, RETRIES, Player


class OpenAIAgents(Player):
    def build(self, instructions):
        client = AsyncOpenAI(base_url=BASE_URL, api_key=KEY, timeout=self.timeout, max_retries=RETRIES)
        tools = [function_tool(each) for each in (self.tools.observe, self.tools.act, self.tools.say)]

        def acted(context, results):
            return ToolsToFinalOutputResult(is_final_output=self.tools.action is not None, final_output="done")

        return Agent(
            "player", instructions=instructions, model=OpenAIChatCompletionsModel(MODEL, client), tools=tools,
            tool_use_behavior=acted, model_settings=ModelSettings(tool_choice="required"), reset_tool_choice=False,
        )  # fmt: skip

    def play(self, prompt):
        # Traces would be sent to OpenAI.
        Runner.run_sync(self.agent, prompt, max_turns=CALLS, run_config=RunConfig(tracing_disabled=True))
