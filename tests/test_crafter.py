"""Our Craft against crafter 1.8.3, step by step: it is the record.

Crafter draws with our dice: each of its objects is handed the draws that ours makes for the same row of the table, and
each chunk those of its balance (``Dice``), so that nothing is brought in line after the start; every field is compared
at every step. Rendering is switched off, which also leaves out the only draws that belong to the picture (the noise of
the night). Episodes are begun anew by drawing a situation into crafter and placing it here.
"""

import crafter
import numpy as np
import pytest
from crafter import objects

import sandbox
from sandbox.engine.draw import below, uniform
from sandbox.worlds.craft.layouts import SYMBOLS
from sandbox.worlds.craft.state import ITEMS, Achievement, Body, Facing, Mob, Stream, Verb

FACING = {(-1, 0): "left", (1, 0): "right", (0, -1): "up", (0, 1): "down"}
KINDS = {
    objects.Cow: "cow", objects.Zombie: "zombie", objects.Skeleton: "skeleton", objects.Arrow: "arrow",
    objects.Plant: "plant",
}  # fmt: skip
NUMBERS = {"cow": 2, "zombie": 3, "skeleton": 4, "arrow": 5, "plant": 6}
TURNS = (objects.Zombie, objects.Skeleton, objects.Cow)
CHUNKS = 6  # along a side


class Dice:
    """What crafter draws from: our draws of one key, one after the other."""

    def __init__(self, seed, tick, stream, first):
        self.key, self.index = (np.uint64(seed), tick, int(stream)), first

    def uniform(self):
        self.index += 1
        return uniform(*self.key, self.index - 1)

    def randint(self, low, high):
        self.index += 1
        return low + below(high - low, *self.key, self.index - 1)


class Peer(crafter.Env):
    """Crafter without pictures, with our dice."""

    def __init__(self, seed, balanced=True):
        super().__init__(seed=seed)
        self.balanced, self.key = balanced, seed
        self._sem_view = self.render = lambda *_: None
        self.reset()

    def step(self, action):
        tick = self._step + 1
        self._player.random = Dice(self.key, tick, Stream.COLLECT, 0)
        for k, thing in enumerate(self.things()):
            thing.random = Dice(self.key, tick, Stream.MOB, 8 * k)
        return super().step(action)

    def things(self):
        return [thing for thing in self._world.objects if thing is not self._player]

    def _balance_chunk(self, chunk, objs):
        if self.balanced:
            super()._balance_chunk(chunk, [thing for thing in self._world.objects if thing in objs])

    def _balance_object(self, chunk, objs, cls, *rest):
        number = chunk[2] // 12 * CHUNKS + chunk[0] // 12
        self._world.random = Dice(self.key, self._step, Stream.BALANCE, 8 * (3 * number + TURNS.index(cls)))
        super()._balance_object(chunk, objs, cls, *rest)

    def describe(self):
        """The situation in the terms of our ``place``."""
        me, world = self._player, self._world
        counters = {"hunger": me._hunger, "thirst": me._thirst, "recover": me._recover}
        player = {
            "row": int(me.pos[1]), "col": int(me.pos[0]), "facing": FACING[tuple(me.facing)], "sleeping": me.sleeping,
            **{name: int(2 * value) for name, value in counters.items()}, "fatigue": me._fatigue,
            "felt": me._last_health, "paid": self._last_health, "inventory": dict(me.inventory),
            "achievements": {name: count for name, count in me.achievements.items() if count},
        }  # fmt: skip
        return {
            "seed": self.key, "tick": self._step, "finish": "running", "players": [player],
            "terrain": ["".join(SYMBOLS[cell] for cell in row) for row in world._mat_map.T.tolist()],
            "mobs": [self._mob(thing) for thing in self.things()],
            "chunks": [int(ymin // 12 * CHUNKS + xmin // 12) for xmin, _, ymin, _ in world._chunks],
        }  # fmt: skip

    @staticmethod
    def _mob(thing):
        clocks = {"zombie": "cooldown", "skeleton": "reload", "plant": "grown"}
        kind = KINDS[type(thing)]
        return {
            "kind": kind, "row": int(thing.pos[1]), "col": int(thing.pos[0]), "health": thing.health,
            "facing": FACING[tuple(thing.facing)] if kind == "arrow" else "left",
            "clock": min(getattr(thing, clocks[kind]), 301) if kind in clocks else 0,
        }  # fmt: skip


def _numbers(player):
    """Crafter's player in the order of our columns."""
    return [
        Facing[FACING[tuple(player.facing)].upper()], player.sleeping, 2 * player._hunger, 2 * player._thirst,
        player._fatigue, 2 * player._recover, player._last_health,
    ]  # fmt: skip


def _compare(peer_env, state, reward, done, where):
    """Every field of ours against crafter's."""
    me, body = peer_env._player, state.body[0, 0]
    assert state.pos[0, 0].tolist() == [me.pos[1], me.pos[0]], where
    assert body[: Body.PAID].tolist() == _numbers(me), where
    assert body[Body.HEALTH :].tolist() == [me.inventory[item.name.lower()] for item in ITEMS], where
    assert state.achieved[0, 0].tolist() == [me.achievements[a.name.lower()] for a in Achievement], where
    assert np.array_equal(state.grid[0], peer_env._world._mat_map.T), where
    assert float(state.reward[0, 0]) == pytest.approx(reward, abs=1e-6), where
    assert bool(state.done[0]) == bool(done), where
    mobs = state.mobs[0, : state.census[0]].tolist()
    theirs = [peer_env._mob(thing) for thing in peer_env.things()]
    expected = [
        [NUMBERS[m["kind"]], m["row"], m["col"], m["health"], Facing[m["facing"].upper()], m["clock"]] for m in theirs
    ]
    assert mobs == expected, where
    for slot, mob in enumerate(mobs):
        assert state.object_at[0, mob[Mob.ROW], mob[Mob.COL]] == slot + 2, where


def _scatter(peer_env, rng):
    """Begin anew in crafter: the player elsewhere, beside random materials, with random items; the tick goes on."""
    me, world = peer_env._player, peer_env._world
    while True:
        cell = rng.integers(0, 64, 2)
        if world[cell][0] in ("grass", "sand", "path") and world[cell][1] is None:
            break
    world.move(me, cell)
    for side in FACING:
        if world[cell + side][0] and world[cell + side][1] is None:
            world[cell + side] = crafter.constants.materials[rng.integers(len(crafter.constants.materials))]
    me.inventory.update({name: int(rng.integers(0, 10)) for name in me.inventory})
    me.inventory.update({name: int(rng.integers(1, 10)) for name in ("food", "drink", "energy")}, health=9)
    me._last_health = peer_env._last_health = me.health
    me.sleeping = False


def _check_mask(env, state, where):
    """What the mask excludes does what the no-op does; what it allows does more, but for luck (a sapling in grass)."""
    mask, twin, ends = env.observe(state).mask[0, 0], env.allocate(1), []
    for verb in Verb:
        env.fork(state, 0, twin, 0)
        env.step(twin, np.array([[[verb, 0]]], np.int32))
        ends.append(env.digest(twin))
    for verb in Verb:
        if verb not in (Verb.NOOP, Verb.DO) or not mask[verb]:
            assert mask[verb] == (ends[verb] != ends[0]) or verb == Verb.NOOP, (where, verb)


def _play(peer_env, env, steps, rng, scatter=200, weights=None):
    """Random actions in both; returns how often each achievement came."""
    state = env.allocate(1)
    actions, total = np.zeros((1, 1, 2), np.int32), np.zeros(len(Achievement), int)
    done = True
    for step in range(steps):
        if done or step % scatter == 0:
            _scatter(peer_env, rng)
            env.place(state, 0, peer_env.describe())
            before = state.achieved[0, 0].copy()
        if step % 20 == 0:
            _check_mask(env, state, step)
        verb = int(rng.choice(len(Verb), p=weights))
        actions[0, 0, 0] = verb
        env.step(state, actions)
        _, reward, done, _ = peer_env.step(verb)
        _compare(peer_env, state, reward, done, step)
        total += state.achieved[0, 0] - before
        before = state.achieved[0, 0].copy()
    return total


def _make(**options):
    return sandbox.make("craft", agents=1, goal="none", max_ticks=10_000, **options)


def test_without_mobs_random_play_is_equal_at_every_step():
    """20 maps of crafter x 2,000 random actions; the plants that are placed stay, and ripen."""
    env, rng, total = _make(mobs=False), np.random.default_rng(0), 0
    for seed in range(20):
        peer_env = Peer(seed, balanced=False)
        for thing in peer_env.things():
            peer_env._world.remove(thing)
        total += _play(peer_env, env, 2000, rng)
    fights = [Achievement.DEFEAT_SKELETON, Achievement.DEFEAT_ZOMBIE, Achievement.EAT_COW, Achievement.EAT_PLANT]
    missed = [Achievement(k).name for k in np.flatnonzero(total == 0) if k not in fights]
    assert not missed, "never exercised"


def test_with_mobs_and_balance_random_play_is_equal_at_every_step():
    """The whole game on four maps, by day and by night; ``do`` is drawn more often, so that there are fights."""
    env, rng, total = _make(), np.random.default_rng(1), 0
    weights = np.ones(len(Verb))
    weights[1:5], weights[Verb.DO] = 3, 12
    for seed in range(4):
        peer_env = Peer(100 + seed)
        total += _play(peer_env, env, 2000, rng, 300, weights / weights.sum())
    for fight in (Achievement.DEFEAT_ZOMBIE, Achievement.DEFEAT_SKELETON, Achievement.EAT_COW):
        assert total[fight] > 0, fight


def test_maps_have_crafters_terrain():
    """25 maps of crafter, 300 of ours: shares of each material and numbers of mobs within four standard errors."""
    theirs, ours = [], []
    for seed in range(25):
        peer_env = Peer(1000 + seed)
        kinds = [NUMBERS[KINDS[type(thing)]] for thing in peer_env.things()]
        cells = np.bincount(peer_env._world._mat_map.ravel(), minlength=11)
        theirs.append(np.r_[cells, np.bincount(kinds, minlength=5)[2:5]])
    env = _make()
    state = env.reset(range(300))
    for lane in range(300):
        kinds = state.mobs[lane, : state.census[lane], Mob.KIND]
        ours.append(np.r_[np.bincount(state.grid[lane].ravel(), minlength=11), np.bincount(kinds, minlength=5)[2:5]])
    theirs, ours = np.array(theirs), np.array(ours)
    error = np.sqrt(theirs.var(axis=0) / 25 + ours.var(axis=0) / 300)
    apart = np.abs(theirs.mean(axis=0) - ours.mean(axis=0))
    assert (apart <= 4 * error).all(), (theirs.mean(axis=0), ours.mean(axis=0))
    assert (ours.mean(axis=0)[1:] > 0).all()
