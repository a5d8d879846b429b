"""The loops of a world for a set of policies, each compiled when it is first called."""

from collections.abc import Callable
from functools import cache

from sandbox.core.world import World
from sandbox.engine.kernel import embedded, specialise
from sandbox.engine.play import (
    choose,
    enact,
    honest,
    imaginative,
    last,
    play,
    sense,
    sighted,
    silent,
    traced,
)
from sandbox.engine.search import SEARCH, looks_ahead, searcher


@cache
def loops(world: World, policies: tuple[str, ...]):
    return Loops(world, policies)


class Loops:
    """The loops of one world for one set of its policies, each compiled when it is first called."""

    def __init__(self, world: World, policies: tuple[str, ...]):
        name = ".".join((world.name, *policies))
        # Who looks ahead spends its time in futures: the loop around them need not be fast, and compiles sooner.
        prepared = (lambda kernel: kernel) if any(map(looks_ahead, policies)) else embedded
        decide = _decide(world, policies, f"{name}.embedded", prepared)
        parts = {
            "sense": specialise(sense, name, inline=True, observe=prepared(world.observe)),
            "decide": specialise(choose, name, inline=True, decide=decide),
            "act": specialise(enact, name, inline=True, step=prepared(world.step)),
        }
        self.choose = specialise(choose, f"{name}.hosted", decide=_decide(world, policies, name, lambda kernel: kernel))
        self.sense = specialise(sense, f"{world.name}.hosted", observe=world.observe)
        self.act = specialise(enact, f"{world.name}.hosted", step=world.step)
        parts |= {"reset": world.reset, "start": world.start, "progress": world.progress}
        self.play = specialise(play, name, after=specialise(silent, name, inline=True), **parts)
        self.trace = specialise(play, f"{name}.traced", after=specialise(traced, name, inline=True), **parts)


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
