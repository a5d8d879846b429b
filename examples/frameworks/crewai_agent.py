# /// script
# dependencies = ["crewai>=1.15,<2"]
# ///
"""An agent of CrewAI. The result of the tool ``act`` is its answer."""

import os

os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"  # it would be sent to CrewAI
from crewai import LLM, Agent
from crewai.events.utils.console_formatter import set_suppress_console_output
from crewai.tools import tool
from player import BASE_URL, CALLS, KEY, MODEL, RETRIES, Player


class CrewAI(Player):
    def build(self, instructions):
        set_suppress_console_output(True)  # what is printed goes into the record
        tools = [tool(self.tools.observe), tool(result_as_answer=True)(self.tools.act), tool(self.tools.say)]
        model = LLM(MODEL, provider="openai", base_url=BASE_URL, api_key=KEY, timeout=self.timeout, max_retries=RETRIES)
        return Agent(
            role="player", goal="Do the task.", backstory=instructions, llm=model, tools=tools, max_iter=CALLS,
            verbose=False,
        )  # fmt: skip

    def play(self, prompt):
        self.agent.kickoff(prompt)
