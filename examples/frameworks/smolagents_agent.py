# /// script
# dependencies = ["smolagents[openai]>=1.26,<2"]
# ///
"""A tool-calling agent of smolagents. Its run is left as soon as it has acted."""

from player import BASE_URL, CALLS, KEY, MODEL, RETRIES, Player
from smolagents import LogLevel, OpenAIModel, ToolCallingAgent, tool


class Smolagents(Player):
    def build(self, instructions):
        tools = [tool(each) for each in (self.tools.observe, self.tools.act, self.tools.say)]
        client = {"timeout": self.timeout, "max_retries": RETRIES}
        model = OpenAIModel(MODEL, api_base=BASE_URL, api_key=KEY, client_kwargs=client)
        return ToolCallingAgent(tools, model, instructions=instructions, max_steps=CALLS, verbosity_level=LogLevel.OFF)

    def play(self, prompt):
        for _ in self.agent.run(prompt, stream=True):
            if self.tools.action:
                break
