"""A client that plays by a rule through MCP; it would play as well from another language.

``python examples/agents/mcp_client.py SCENARIO FOLDER FIRST COUNT`` starts ``sandbox seat`` over stdio and plays COUNT
seeds from FIRST on. Each episode is a run below FOLDER. Needs the extra ``mcp``.
"""

import asyncio
import sys
from types import SimpleNamespace

from greedy import Greedy
from mcp import Client
from mcp.client.stdio import StdioServerParameters


async def called(client, tool, **given):
    answer = await client.call_tool(tool, given)
    if answer.is_error:
        raise RuntimeError(answer.content[0].text)
    return answer.structured_content


async def played(client, seed):
    """The outcome of one episode."""
    begun = await called(client, "begin", seed=seed)
    (seat,) = begun["seats"].values()
    rule = Greedy()
    rule.reset(seed)
    while not (seen := await called(client, "observe", seat=seat))["over"]:
        if seen["tick"] is not None:  # else no tick came in time: observe again
            legal = await called(client, "legal", seat=seat)
            verb, target = rule.act(SimpleNamespace(words=seen["words"]), legal["verbs"])
            await called(client, "act", seat=seat, tick=seen["tick"], verb=verb, target=target)
    return seen["outcome"]


async def main(scenario, folder, first, count):
    own = ["-m", "sandbox", "seat", scenario, "--out", folder]
    async with Client(StdioServerParameters(command=sys.executable, args=own)) as client:
        outcomes = [await played(client, int(first) + k) for k in range(int(count))]
    print(f"{sum(each['success'] for each in outcomes)} of {count} succeed; runs below {folder}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
