"""Worlds and scenarios as an environment of Prime Intellect's verifiers (extra ``verifiers``), to train and evaluate.

``vf-eval sandbox-worlds --env.taskset.world web``. A task is a seed: its model has the seat of one agent
(``sandbox.seat``), in a conversation with one turn for each tick. The same seed and the same actions give the digest of
``sandbox run``. verifiers finds it by the name of the module ``sandbox_worlds``.
"""

import asyncio
import re
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from openai import APIError, AsyncOpenAI
from verifiers.v1.dialects.chat import message_to_wire

from sandbox.agents.speech import brief
from sandbox.core.errors import UsageError
from sandbox.integrations.turns import PATIENCE, left, next_turn, told
from sandbox.scenario import Scenario, load
from sandbox.seat.seats import Seat, Seating, Turn

EPISODES = 10_000  # that run at the same time; verifiers has a limit of its own (--max-concurrent)
WRONG = 3  # replies in a row without an action, after which a model has left
ACTION = re.compile(r"<action>\s*(\S+?)(?:\s+(\d+))?\s*</action>")
FORM = (
    "In each tick you are told what you see. Think, then end your reply with one action: a verb and the number of its "
    "target, such as <action>VERB 3</action>, or <action>VERB</action> for a verb without targets."
)


class WorldsConfig(vf.TasksetConfig):
    """Which tasks: ``--env.taskset.*``."""

    world: str = ""
    """The name of a world; it has one agent."""
    options: dict[str, Any] = {}
    """Options of the world, such as its layout."""
    scenario: str = ""
    """Instead of a world: the file of a scenario."""
    overrides: dict[str, Any] = {}
    """Dotted keys of the scenario with other values."""
    agent: int = 0
    """The number of the agent whose seat the model has; the others follow the scenario."""
    seed: int | None = None
    """The seed of the first task, by default the scenario's; each task is the next seed."""
    out: str = ""
    """Folder of the records, one for each episode; empty: none."""

    def opened(self) -> Scenario:
        """The scenario; raises UsageError unless exactly one of ``world`` and ``scenario`` is given, and valid."""
        if bool(self.world) == bool(self.scenario):
            raise UsageError("taskset: expected either a world or a scenario")
        table = {"world": {"name": self.world, **self.options}, "agents": [{"reasoner": "rules"}]}
        return load(self.scenario or table, self.overrides)


class WorldsData(vf.TaskData):
    """The seed of an episode."""

    seed: int


class WorldsTask(vf.Task[WorldsData, vf.State, vf.TaskConfig]):
    """An episode. Its rubric: the reward ``success``, and ``progress`` with weight 0 (``task.rewards`` changes it)."""

    @vf.reward(weight=1.0)
    async def success(self, trace: vf.Trace) -> float:
        return float(trace.info["outcome"]["success"])

    @vf.reward(weight=0.0)
    async def progress(self, trace: vf.Trace) -> float:
        """The share of the tasks that are done, their number in a world without an end."""
        told = trace.info["outcome"]
        return told["tasks_done"] / (told["tasks_total"] or 1)

    @vf.metric
    async def counts(self, trace: vf.Trace) -> dict[str, float]:
        told = trace.info["outcome"]
        return {name: float(told[name]) for name in ("ticks", "reward", "invalid_actions", "refused_actions")}


class WorldsTaskset(vf.Taskset[WorldsTask, WorldsConfig]):
    """A task for each seed, without end."""

    INFINITE = True

    def load(self) -> Iterator[WorldsTask]:
        scenario = self.config.opened()
        told = f"{brief(scenario.env(), scenario.names[self.config.agent])}\n\n{FORM}"
        for seed in count(scenario.seed if self.config.seed is None else self.config.seed):
            data = WorldsData(name=f"{scenario.world.name}#{seed}", system_prompt=told, seed=seed)
            yield WorldsTask(data, self.config.task)


class ChatHarness(vf.Harness[vf.HarnessConfig]):
    """A chat in this process. Those of verifiers start a program for each turn, which is a tick here."""

    APPENDS_SYSTEM_PROMPT = SUPPORTS_RESUME = True
    EXECUTES_CODE = NEEDS_CONTAINER = False

    async def launch(
        self, ctx: vf.ModelContext, trace: vf.Trace, runtime: vf.Runtime, endpoint: str, secret: str,
        mcp_urls: dict[str, str], data: vf.TaskData,
    ) -> vf.ProgramResult:  # fmt: skip
        system, prompt = self.resolve_prompt(data)
        said = [vf.UserMessage(content=prompt)] if isinstance(prompt, str) else prompt or []
        messages = [message_to_wire(each) for each in ([vf.SystemMessage(content=system)] if system else []) + [*said]]
        try:
            async with AsyncOpenAI(base_url=endpoint, api_key=secret, max_retries=0) as client:
                await client.chat.completions.create(model=ctx.model, messages=messages)
        except APIError as error:  # a limit of the run ends it in this way too
            return vf.ProgramResult(1, "", str(error))
        return vf.ProgramResult(0, "", "")


class WorldsEnvConfig(vf.EnvConfig):
    """The one seat that a model takes: ``--env.player.*``."""

    player: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig())


class WorldsEnv(vf.Env[WorldsEnvConfig]):
    """An episode is a conversation: each reply acts in a tick, and the next message is what the agent sees then."""

    async def run(self, task: WorldsTask, agents: vf.Agents) -> None:
        (own,) = _seating(self.taskset.config.model_dump_json()).begin(task.data.seed).seats.values()
        try:
            async with agents.player.interaction(task) as interaction:
                await _converse(own, interaction)
                interaction.trace.info["outcome"] = await left(own)
        finally:
            await asyncio.to_thread(own.leave)


@cache
def _seating(config: str) -> Seating:
    """The seating of a taskset, by its configuration as JSON."""
    asked = WorldsConfig.model_validate_json(config)
    return Seating(asked.opened(), (asked.agent,), PATIENCE, Path(asked.out) if asked.out else None, EPISODES)


async def _converse(seat: Seat, interaction: vf.Interaction) -> None:
    """Play until the episode is over, the run's limits are reached, or the model gives no actions any more."""
    wrong, turn = 0, await next_turn(seat)
    message = turn and told(turn)
    while turn and wrong < WRONG:
        segment = await interaction.turn(message)
        if segment.terminated:
            return
        try:
            effect = _acted(seat, turn, segment.last_reply)
        except UsageError as error:
            wrong, message = wrong + 1, f"{error}. {FORM}"
            continue
        wrong, turn = 0, await next_turn(seat)
        message = turn and f"{'' if effect else 'The action had no effect. '}{told(turn)}"


def _acted(seat: Seat, turn: Turn, reply: str) -> bool:
    """Take the last action of a reply; returns whether it has an effect. Raises UsageError for a reply without one."""
    found = ACTION.findall(reply)
    if not found:
        raise UsageError("there is no action in your reply")
    verb, target = found[-1]
    return seat.act(turn.tick, verb, int(target or 0))
