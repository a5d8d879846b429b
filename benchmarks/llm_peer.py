"""mesa-llm on a given server, in a Python of its own: 3.12 or newer, ``pip install mesa-llm mcp``.

Without ``mcp``, which it does not ask for, litellm fails where tools are given, and mesa-llm tries again for ever.
``OPENAI_API_KEY=none python benchmarks/llm_peer.py ADDRESS AGENTS TICKS`` prints as JSON, for one decision by round,
milliseconds of CPU time: of its one call with tools, and of its reasoner ReAct (which thinks in one call and acts in
another).
"""

import asyncio
import json
import logging
import sys
import time

from mesa import Model
from mesa.discrete_space import OrthogonalMooreGrid
from mesa_llm.llm_agent import LLMAgent
from mesa_llm.reasoning.react import ReActReasoning
from mesa_llm.tools.tool_decorator import tool

ROUNDS = 5


@tool
def left(agent: "LLMAgent", reason: str) -> str:
    """Turn left.

    Args:
        agent: Provided automatically.
        reason: Why.

    Returns:
        What was done.
    """
    return "turned left"


class Crowd(Model):
    """Agents that only decide; where they stand costs nothing."""

    def __init__(self, agents: int, address: str):
        super().__init__(rng=1)
        self.grid = OrthogonalMooreGrid((10, 10), torus=False, random=self.random)
        for _ in range(agents):
            agent = LLMAgent(self, ReActReasoning, "openai/gpt-5.2", "You are a robot.", api_base=address)
            agent.cell = self.grid[(0, 0)]

    async def call(self, agent: LLMAgent) -> None:
        """What any of its reasoners does at least: one call with tools, and the tool."""
        tools = agent.tool_manager.get_all_tools_schema(["left"])
        reply = await agent.llm.agenerate("What now?", tools, "required", system_prompt="You are a robot.")
        await agent.tool_manager.acall_tools(agent=agent, llm_response=reply.choices[0].message)

    async def react(self, agent: LLMAgent) -> None:
        plan = await agent.reasoning.aplan("What now?", selected_tools=["left"], tool_calls="required")
        await agent.aapply_plan(plan)

    async def tick(self, decide) -> None:
        await asyncio.gather(*(decide(agent) for agent in self.agents))


async def cost(model: Crowd, decide, ticks: int) -> list[float]:
    """Milliseconds of CPU time for one decision, by round."""
    await model.tick(decide)
    found = []
    for _ in range(ROUNDS):
        cpu = time.process_time()
        for _ in range(ticks):
            await model.tick(decide)
        found.append(1000 * (time.process_time() - cpu) / (ticks * len(model.agents)))
    return found


async def main(address: str, agents: int, ticks: int) -> None:
    model = Crowd(agents, address)
    print(json.dumps([await cost(model, model.call, ticks), await cost(model, model.react, ticks)]))


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
