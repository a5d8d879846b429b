"""The loops of a world for a set of policies, each compiled when it is first called."""

from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Any, NamedTuple

from sandbox.core.teamwork import Protocol
from sandbox.core.world import World
from sandbox.engine.coordination.phases import (
    check_tasks,
    confer,
    coordinate,
    end_tick,
    finalise,
    mask_actions,
    no_end_tick,
    nothing_sensed,
    reports,
    unmasked,
)
from sandbox.engine.kernel import embedded, specialise
from sandbox.engine.play import (
    choose,
    choose_one,
    count_up,
    enact,
    honest,
    imaginative,
    last,
    of_net,
    of_search,
    one_by_one,
    play,
    sense,
    sighted,
    trained,
    turn,
)
from sandbox.engine.search import SEARCH, looks_ahead, searcher
from sandbox.engine.trained import TRAINED, decide_by_net

_shared: dict[World, frozenset[str]] = {}  # policies that share one loop, in this process


def share(world: World, policies: Iterable[str]) -> None:
    """Let one loop play all teams of these policies; it compiles faster than a loop for each set of them."""
    _shared[world] = frozenset(policies)


def shared(world: World) -> frozenset[str]:
    """The policies that share one loop."""
    return _shared.get(world, frozenset())


def sharing(world: World, policies: Collection[str]) -> Collection[str]:
    """The policies of the loop that plays a team of ``policies``."""
    return shared(world) if shared(world).issuperset(policies) else policies


class Call(NamedTuple):
    """A kernel that Python calls, or one that such a kernel calls, and the names of its arguments."""

    kernel: Callable
    arguments: tuple[str, ...]  # names in ``engine.play``
    entry: bool  # whether Python calls it


@cache
def loops(world: World, policies: tuple[str, ...], protocol: Protocol | None = None):
    return Loops(world, policies, protocol)


class Loops:
    """The loops of one world for one set of its policies and a team's protocol, each compiled when it is first called.

    A team also has: ``confer`` before ``choose``; ``mask_actions`` before ``act``; ``end_tick`` after it.
    """

    def __init__(self, world: World, policies: tuple[str, ...], protocol: Protocol | None):
        self._world, self._policies, self._protocol = world, policies, protocol
        alone = ".".join((world.name, *policies))
        self.sense = specialise(sense, f"{world.name}.hosted", observe=world.observe)
        self._choose = [(chooser(world, policy), _scratch(policy)) for policy in policies]
        self.act = specialise(enact, f"{world.name}.hosted", step=world.step)
        one = {"reset": world.reset, "act": self.act, "progress": world.progress, "sense": self.sense}
        self.turn = specialise(turn, f"{world.name}.hosted", **one)
        parts = self._of_a_team(protocol, alone) if protocol else self._of_many(policies, alone)
        parts |= {"reset": world.reset, "start": world.start}
        name = f"{alone}.{protocol.name}" if protocol else alone
        self.play = specialise(play, name, **parts)
        self._of_a_tick = [self.sense, self.act, self.finalise]
        if protocol:
            self._of_a_tick += [self.confer, self.mask_actions, self.end_tick]

    def choose(self, s, obs, lane: int, params, memory, assignment, actions) -> None:
        """Every agent with a compiled policy decides. Each policy has a kernel, so that any team can be made up."""
        bounds = assignment.bounds.tolist()
        for k, (kernel, scratch) in enumerate(self._choose):
            own = assignment.agents[bounds[k] : bounds[k + 1]]
            if len(own):
                kernel(s, obs, lane, params, memory, own, getattr(assignment, scratch, ()), actions)

    def calls(self, whole: bool) -> list[Call]:
        """What Python calls to play ``whole`` episodes or hosted ticks, last; first what those kernels call."""
        world = self._world
        begin = [(world.reset, ("s", "lane", "params")), (world.start, ("memory", "lane", "params"))]
        ticks = [(kernel, _names(kernel)) for kernel in self._of_a_tick]
        for kernel, scratch in self._choose:
            ticks.append((kernel, tuple(scratch if each == "work" else each for each in _names(kernel))))
        if not whole:
            return [Call(*each, entry) for entry in (False, True) for each in (*begin, *ticks)]
        if not self._protocol:
            step = (world.step, ("s", "lane", "actions", "params"))
            ticks = [(world.observe, ("s", "lane", "params", "obs")), step, *map(self._policy, self._policies)]
        return [*(Call(*each, False) for each in (*begin, *ticks)), Call(self.play, _names(self.play), True)]

    def _policy(self, policy: str) -> tuple[Callable, tuple[str, ...]]:
        """A policy's kernel, and its arguments."""
        if policy == TRAINED:
            return decide_by_net, ("obs", "lane", "params", "agents", "nets", "dice", "actions")
        seen = "s" if policy in self._world.sighted else "obs"
        names = (seen, "lane", "params", "memory", "agents", "dice", "actions")
        if looks_ahead(policy):
            return searcher(self._world, policy.removeprefix(SEARCH)), (*names, "work")
        return self._world.policies[policy], names

    def _of_many(self, policies: tuple[str, ...], name: str) -> dict[str, Callable]:
        """The parts of a tick, inlined into the loop."""
        world = self._world
        # A search spends its time in futures, so the loop around them is not inlined, which compiles faster.
        prepared = _as_it_is if any(map(looks_ahead, policies)) else embedded
        decide = _decide(world, policies, f"{name}.embedded", prepared)
        self.finalise = specialise(count_up, world.name, progress=world.progress)
        return {
            "sense": specialise(sense, name, inline=True, observe=prepared(world.observe)),
            "decide": specialise(choose, name, inline=True, decide=decide),
            "mask_actions": specialise(unmasked, name, inline=True),
            "act": specialise(enact, name, inline=True, step=prepared(world.step)),
            "end_tick": specialise(no_end_tick, name, inline=True), "finalise": self.finalise,
        }  # fmt: skip

    def _of_a_team(self, protocol: Protocol, name: str) -> dict[str, Callable]:
        """The parts of a tick, shared with the hosted tier: protocols are many, and a call costs little."""
        world = self._world
        self.confer = _confer(world, protocol)
        self.mask_actions = specialise(mask_actions, f"{world.name}.hosted")
        self.end_tick = specialise(
            end_tick, f"{world.name}.hosted", check_tasks=_check_tasks(world), progress=world.progress
        )
        self.finalise = specialise(finalise, f"{world.name}.hosted", progress=world.progress)
        decide = _decide(world, self._policies, name, _as_it_is)
        own = specialise(choose, f"{name}.hosted", decide=decide)
        both = specialise(coordinate, f"{name}.{protocol.name}", inline=True, confer=self.confer, choose=own)
        return {"sense": self.sense, "decide": both, "mask_actions": self.mask_actions, "act": self.act,
                "end_tick": self.end_tick, "finalise": self.finalise}  # fmt: skip


def _check_tasks(world: World) -> Callable:
    return specialise(check_tasks, world.name, check=world.teamwork.check)


def _confer(world: World, protocol: Protocol) -> Callable:
    """A tick of a protocol in a world."""
    name, sensed = f"{world.name}.{protocol.name}", specialise(nothing_sensed, world.name, inline=True)
    if world.teamwork.tell and protocol.reports:
        sensed = specialise(reports, world.name, inline=True, look_out=world.teamwork.tell)
    look, receive, speak = world.teamwork.look, protocol.receive, protocol.speak
    return specialise(
        confer, name, check_tasks=_check_tasks(world), sensed=sensed, look=look, receive=receive, speak=speak
    )


def _names(kernel: Any) -> tuple[str, ...]:
    """The names of a kernel's arguments."""
    code = getattr(kernel, "py_func", kernel).__code__
    return code.co_varnames[: code.co_argcount]


def chooser(world: World, policy: str) -> Callable:
    """The kernel ``play.choose_one`` of a policy."""
    return specialise(choose_one, f"{world.name}.{policy}.hosted", decide=_decider(world, policy, "hosted", _as_it_is))


def _decide(world: World, policies: tuple[str, ...], name: str, prepared: Callable) -> Callable:
    """One kernel in which every policy decides for its own agents."""
    decide = specialise(last, name, inline=True)
    for policy in reversed(policies):
        own = _decider(world, policy, name, prepared)
        scratch = specialise(of_net if policy == TRAINED else of_search, name, inline=True)
        decide = specialise(one_by_one, f"{name}.{policy}", inline=True, decide=own, others=decide, scratch=scratch)
    return decide


def _decider(world: World, policy: str, name: str, prepared: Callable) -> Callable:
    if looks_ahead(policy):
        template, kernel = imaginative, searcher(world, policy.removeprefix(SEARCH))
    elif policy == TRAINED:
        template, kernel = trained, decide_by_net
    else:
        template, kernel = sighted if policy in world.sighted else honest, prepared(world.policies[policy])
    return specialise(template, f"{world.name}.{name}.{policy}", inline=True, policy=kernel)


def _scratch(policy: str) -> str:
    """The field of ``PolicyAssignment`` that a policy needs besides its agents; "nothing" for most."""
    return "work" if looks_ahead(policy) else "nets" if policy == TRAINED else "nothing"


def _as_it_is(kernel: Callable) -> Callable:
    return kernel
