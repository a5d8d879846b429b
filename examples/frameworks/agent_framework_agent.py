# /// script
# dependencies = ["agent-framework-core>=1.23,<2", "agent-framework-openai>=1.17,<2"]
# ///
"""An agent of Microsoft's Agent Framework, the successor of AutoGen and Semantic Kernel."""

import asyncio

from agent_framework import Agent, FunctionMiddleware, MiddlewareTermination
from agent_framework.openai import OpenAIChatCompletionClient
from openai import AsyncOpenAI
from player import BASE_URL, CALLS, KEY, MODEL, RETRIES, Player


class AgentFramework(Player):
    def build(self, instructions):
        tools = self.tools

        class Acted(FunctionMiddleware):
            async def process(self, context, call_next):
                await call_next()
                if tools.action:
                    raise MiddlewareTermination(result=context.result)

        self.loop = asyncio.new_event_loop()  # one for all ticks: the client keeps its connections in it
        server = AsyncOpenAI(base_url=BASE_URL, api_key=KEY, timeout=self.timeout, max_retries=RETRIES)
        client = OpenAIChatCompletionClient(
            MODEL, async_client=server, function_invocation_configuration={"max_iterations": CALLS}
        )
        return Agent(client, instructions, tools=[tools.observe, tools.act, tools.say], middleware=[Acted()])

    def play(self, prompt):
        self.loop.run_until_complete(self.agent.run(prompt))
