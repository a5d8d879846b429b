"""The loops of a world for a set of policies, each compiled when it is first called."""

from collections.abc import Callable, Collection, Iterable
from functools import cache

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
    count_up,
    enact,
    honest,
    imaginative,
    last,
    play,
    sense,
    sighted,
    turn,
)
from sandbox.engine.search import SEARCH, looks_ahead, searcher

_shared: dict[World, frozenset[str]] = {}  # policies that share one loop, in this process


def share(world: World, policies: Iterable[str]) -> None:
    """Let one loop play all teams of these policies; it compiles faster than a loop for each set of them."""
    _shared[world] = frozenset(policies)


def sharing(world: World, policies: Collection[str]) -> Collection[str]:
    """The policies of the loop that plays a team of ``policies``."""
    shared = _shared.get(world, frozenset())
    return shared if shared.issuperset(policies) else policies


@cache
def loops(world: World, policies: tuple[str, ...], protocol: Protocol | None = None):
    return Loops(world, policies, protocol)


class Loops:
    """The loops of one world for one set of its policies and a team's protocol, each compiled when it is first called.

    A team also has: ``confer`` before ``choose``; ``mask_actions`` before ``act``; ``end_tick`` after it. ``hosted``
    lists all that the hosted tier calls in an episode.
    """

    def __init__(self, world: World, policies: tuple[str, ...], protocol: Protocol | None):
        self._world, alone = world, ".".join((world.name, *policies))
        self.sense = specialise(sense, f"{world.name}.hosted", observe=world.observe)
        hosted = _decide(world, policies, alone, lambda kernel: kernel)
        self.choose = specialise(choose, f"{alone}.hosted", decide=hosted)
        self.act = specialise(enact, f"{world.name}.hosted", step=world.step)
        one = {"reset": world.reset, "act": self.act, "progress": world.progress, "sense": self.sense}
        self.turn = specialise(turn, f"{world.name}.hosted", **one)
        parts = self._of_a_team(protocol, alone) if protocol else self._of_many(policies, alone)
        parts |= {"reset": world.reset, "start": world.start}
        name = f"{alone}.{protocol.name}" if protocol else alone
        self.play = specialise(play, name, **parts)
        of_a_team = [self.confer, self.mask_actions, self.end_tick] if protocol else []
        self.hosted = [world.reset, world.start, self.sense, self.choose, self.act, self.finalise, *of_a_team]

    def _of_many(self, policies: tuple[str, ...], name: str) -> dict[str, Callable]:
        """The parts of a tick, inlined into the loop."""
        world = self._world
        # A search spends its time in futures, so the loop around them is not inlined, which compiles faster.
        prepared = (lambda kernel: kernel) if any(map(looks_ahead, policies)) else embedded
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
        both = specialise(coordinate, f"{name}.{protocol.name}", inline=True, confer=self.confer, choose=self.choose)
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


def _decide(world: World, policies: tuple[str, ...], name: str, prepared: Callable) -> Callable:
    """One kernel in which every policy decides for its own agents."""
    decide = specialise(last, name, inline=True)
    for policy in reversed(policies):
        if looks_ahead(policy):
            template, kernel = imaginative, searcher(world, policy.removeprefix(SEARCH))
        else:
            template, kernel = sighted if policy in world.sighted else honest, prepared(world.policies[policy])
        decide = specialise(template, f"{name}.{policy}", inline=True, policy=kernel, others=decide)
    return decide
