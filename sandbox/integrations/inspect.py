"""Worlds and scenarios as tasks of Inspect AI (extra ``inspect``): ``inspect eval sandbox/web --model ...``.

A sample is a seed. Its model has the seat of one agent (``sandbox.seat``); the others follow the scenario. The same
seed and the same actions give the digest of ``sandbox run``. Inspect finds the tasks by the entry point ``sandbox``.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from inspect_ai import Task, task
from inspect_ai.agent import Agent, AgentPrompt, AgentState, react
from inspect_ai.approval import Approval, ApprovalPolicy, Approver, approver
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, ChatMessageAssistant
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, mean, metric, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver, use_tools
from inspect_ai.tool import Tool, ToolCall, ToolCallView, ToolError, tool
from inspect_ai.util import store

from sandbox.agents.speech import brief
from sandbox.core.errors import UsageError
from sandbox.core.people import Action, Nobody, Question
from sandbox.engine.registry import names
from sandbox.integrations.turns import PATIENCE, left, next_turn, told
from sandbox.oversight.guard import Guard
from sandbox.scenario import Scenario, load
from sandbox.seat.seats import Seat, Seating, Turn
from sandbox.statistics import pass_hat
from sandbox.telemetry.eval_log import PASSES, score_of

EPISODES = 1_000  # that run at the same time; Inspect has a limit of its own (max_samples)
IDLE = 3  # replies in a row without a tool call, after which a model has left
SEAT = "sandbox_seat"  # key in the sample's store
INSTRUCTIONS = (
    "You steer an agent in a simulated world. Call act once for each tick, until the episode is over; "
    "its answer is what your agent sees next."
)


class _Approved(Nobody):
    """Answers the episode's guard: it allows what an approver of Inspect has allowed, and nothing else."""

    def __init__(self, agent: str):
        self._agent, self.allowed = agent, False

    def ask(self, questions: list[Question]) -> list[Action | None]:
        return [question.said if self.allowed and question.name == self._agent else None for question in questions]


class _Taken(NamedTuple):
    """A seat that a sample's model has taken."""

    seat: Seat
    row: int
    guard: Guard | None
    people: _Approved
    limit: int  # of ticks


_taken: dict[str, _Taken] = {}  # by handle, which is in the store of the sample


def _own() -> _Taken:
    """The seat of the present sample; raises RuntimeError outside of a task of this module."""
    handle = store().get(SEAT)
    if handle not in _taken:
        raise RuntimeError("no seat: this works in samples of the tasks sandbox/... only")
    return _taken[handle]


# -- tools -------------------------------------------------------------------------------------------------------------


async def _seen(seat: Seat) -> str:
    """What the agent sees in the tick that waits for it, or how the episode ended."""
    if turn := await next_turn(seat):
        return told(turn)
    outcome = seat.outcome or {}
    return f"The episode is over: {outcome.get('finish', outcome.get('error', 'ended'))}."


def _present(seat: Seat) -> Turn:
    turn = seat.observe(0.0)
    if turn is None:
        raise ToolError("the episode is over")
    return turn


def _told(call: Callable[..., Any], *given: Any) -> Any:
    """The result of a call; its UsageError is told to the model."""
    try:
        return call(*given)
    except UsageError as error:
        raise ToolError(str(error)) from None


@tool
def observe() -> Tool:
    """What the agent sees."""

    async def execute() -> str:
        """What your agent sees now."""
        return await _seen(_own().seat)

    return execute


@tool
def legal() -> Tool:
    """The actions that have an effect."""

    async def execute() -> str:
        """The actions that have an effect now: each verb with its targets."""
        return "\n".join(
            f"{verb} {', '.join(map(str, targets))}" for verb, targets in _present(_own().seat).legal.items()
        )

    return execute


@tool
def act() -> Tool:
    """Act, and see what comes of it."""

    async def execute(verb: str, target: int = 0) -> str:
        """Act in this tick. Returns whether the action has an effect, and what your agent sees next.

        Args:
            verb: What to do.
            target: Its target; 0 for a verb without targets.
        """
        seat = _own().seat
        effect = _told(seat.act, _present(seat).tick, verb, target)
        return f"{'' if effect else 'The action has no effect now. '}{await _seen(seat)}"

    return execute


@tool
def say() -> Tool:
    """Speak to the team."""

    async def execute(text: str, to: str = "all") -> str:
        """Say something to your team, before you act in this tick.

        Args:
            text: What to say.
            to: The name of an agent, or all.
        """
        return await asyncio.to_thread(_told, _own().seat.say, text, to)

    return execute


# -- approvals ---------------------------------------------------------------------------------------------------------


@approver
def guard() -> Approver:
    """The scenario's guard: an action that one of its rules escalates goes to the next approver of the policy.

    What its other rules deny or change, they deny or change in the episode, as in every run. An escalated action that
    this approver has not passed on is denied there.
    """

    async def approve(message: str, call: ToolCall, view: ToolCallView, history: list[ChatMessage]) -> Approval:
        own = _own()
        rule = own.guard and own.guard.rule(own.row, _action(own.seat, call))
        own.people.allowed = rule is not None and rule.effect == "escalate"
        if own.people.allowed:
            return Approval(decision="escalate", explanation=rule.why or "a rule of the scenario asks a person")
        return Approval(decision="approve")

    return approve


def _action(seat: Seat, call: ToolCall) -> Action:
    """The action of a call of ``act``; the no-op for anything that is not one."""
    given, world = call.arguments, seat.env.world
    verb, target = given.get("verb"), given.get("target", 0)
    known = call.function == "act" and verb in world.verbs and isinstance(target, int) and 0 <= target < world.targets
    return (world.verbs.index(verb), target) if known else (seat.env.params.noop, 0)


# -- score -------------------------------------------------------------------------------------------------------------


@metric(name="pass_hat")
def pass_of_seeds(k: int = PASSES) -> Metric:
    """pass^k over seeds: the probability that k seeds drawn from these all succeed; NaN for fewer than k."""

    def measure(scores: list[SampleScore]) -> float:
        return pass_hat(sum(each.score.as_float() >= 1 for each in scores), len(scores), k)

    return measure


@scorer(metrics={
    "success": [mean(), stderr(), pass_of_seeds()], "steps": [mean(), stderr()], "score": [mean(), stderr()],
})  # fmt: skip
def outcome() -> Scorer:
    """The outcome of the episode (see ``score_of``), which ends here if the model has left it.

    Raises RuntimeError for an infrastructure error, which is an error of the sample and no score.
    """

    async def score(state: TaskState, target: Target) -> Score:
        own = _own()
        return score_of(await left(own.seat), own.limit)

    return score


# -- tasks -------------------------------------------------------------------------------------------------------------


@solver
def begin(seating: Seating) -> Solver:
    """Begin the episode of the sample's seed; the model is told the task and what its agent sees."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        (row,) = seating.rows
        agent = seating.scenario.names[row]
        people = _Approved(agent)
        seat = seating.begin(int(state.sample_id), people).seats[agent]
        _taken[seat.handle] = _Taken(seat, row, _guard(seating), people, seating.env.options.max_ticks)
        state.store.set(SEAT, seat.handle)
        state.user_prompt.text = f"{state.user_prompt.text}\n\n{await _seen(seat)}"
        return state

    return solve


def _guard(seating: Seating) -> Guard | None:
    scenario, env = seating.scenario, seating.env
    if not scenario.guard:
        return None
    return Guard(scenario.guard, scenario.names, env.world, env.params.noop, Nobody(), _no_question)


def _no_question(*_: Any) -> Question:
    raise AssertionError("this guard is only looked up")


async def _goes_on(state: AgentState) -> bool:
    """Whether the episode and the model go on."""
    replies = [message for message in state.messages if isinstance(message, ChatMessageAssistant)][-IDLE:]
    return not _own().seat.over and (len(replies) < IDLE or any(reply.tool_calls for reply in replies))


def player(tools: list[Tool]) -> Agent:
    """Plays until the episode is over, or until the model stops calling tools."""
    prompt = AgentPrompt(INSTRUCTIONS, assistant_prompt=None)
    return react(prompt=prompt, tools=tools, submit=False, on_continue=_goes_on)


async def _leave(state: TaskState) -> None:
    """End an episode that is not scored, such as one of a sample that failed."""
    if own := _taken.pop(state.store.get(SEAT), None):
        await asyncio.to_thread(own.seat.leave)


def task_of(
    given: str | Path | Mapping[str, Any] | Scenario, trials: int = 10, seed: int | None = None, agent: int = 0,
    out: str | Path | None = None,
) -> Task:  # fmt: skip
    """The task of a scenario: ``trials`` seeds from ``seed`` on, by default the scenario's, one sample each.

    ``agent`` is the number of the agent whose seat the model has. Records go into numbered folders below ``out``.
    Raises UsageError for an invalid scenario, and ValidationError for a number that is out of range.
    """
    scenario = load(given)
    seating = Seating(scenario, (agent,), PATIENCE, Path(out) if out else None, EPISODES)
    first, about = scenario.seed if seed is None else seed, brief(seating.env, scenario.names[agent])
    tools = [observe(), legal(), act(), *([say()] if scenario.team else [])]
    return Task(
        dataset=MemoryDataset([Sample(about, id=first + k) for k in range(trials)], name=scenario.world.name),
        setup=[use_tools(tools), begin(seating)], solver=player(tools), cleanup=_leave, scorer=outcome(),
        approval=[ApprovalPolicy(guard(), "*")] if scenario.guard else None,
        metadata={"scenario": scenario.as_dict(), "scenario_hash": scenario.hash},
    )  # fmt: skip


@task(name="scenario")
def scenario_task(
    file: str, trials: int = 10, seed: int | None = None, agent: int = 0, out: str | None = None, **overrides: Any
) -> Task:
    """A scenario by its file: ``inspect eval sandbox/scenario -T file=scenarios/web.toml -T world.layout=login``."""
    return task_of(load(file, overrides), trials, seed, agent, out)


def _register(world: str) -> None:
    @task(name=world)
    def world_task(trials: int = 10, seed: int | None = None, out: str | None = None, **options: Any) -> Task:
        return task_of({"world": {"name": world, **options}, "agents": [{"reasoner": "rules"}]}, trials, seed, 0, out)

    world_task.__doc__ = f"The world {world} with one agent; further parameters are the world's options."


for name in names():
    _register(name)
