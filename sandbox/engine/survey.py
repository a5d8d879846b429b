"""What a trainer needs of lanes: observations as codes, the worth of each lane, and the actions of a teacher."""

from functools import cache

from sandbox.core.world import World
from sandbox.engine.kernel import kernel, specialise
from sandbox.engine.loops import chooser
from sandbox.engine.search import done, worthless
from sandbox.engine.trained import encode

choose = start = earned = value = None  # filled in by specialise


def survey(s, obs, params, memory, anew, agents, codes, worth, actions):
    """Fill ``codes`` (L, N, I) uint8, ``worth`` (L, 2) float64 and the teacher's ``actions`` (L, N, 2) int32.

    L lanes, N ``agents`` (N,) int32, I numbers of an observation. The worth of a lane is ``earned`` and ``value`` of
    its ``World``. In lanes ``anew`` (L,) bool the teacher begins an episode.
    """
    for lane in range(len(anew)):
        worth[lane, 0], worth[lane, 1] = earned(s, lane, params), value(s, lane, params)
        for agent in range(codes.shape[1]):
            encode(obs, lane, agent, codes[lane, agent])
        if anew[lane]:
            start(memory, lane, params)
        if s.done[lane] == 0:
            choose(s, obs, lane, params, memory, agents, (), actions)


@kernel
def nobody(s, obs, lane, params, memory, agents, work, actions):
    """Without a teacher, nothing is chosen."""


@cache
def surveyor(world: World, teacher: str | None):
    """The kernel :func:`survey` of a world, whose teacher is one of its policies, or nobody."""
    gained = world.earned or specialise(done, world.name, progress=world.progress)
    parts = {"earned": gained, "value": world.value or worthless, "start": world.start}
    chosen = chooser(world, teacher) if teacher else nobody
    return specialise(survey, f"{world.name}.{teacher or nobody.__name__}", choose=chosen, **parts)
