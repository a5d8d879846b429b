"""The warehouse's own promises: drawn situations, layouts, what its policies achieve, perturbations."""

import numpy as np
import pytest
import rware.warehouse as rware

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.engine.draw import below
from sandbox.engine.episode import Episode
from sandbox.worlds.warehouse.layouts import SIZES, load
from sandbox.worlds.warehouse.state import Cell, Note, Stream, Verb

HALL = "......\n.xx.x.\n.xx.x.\n..gg.."  # 4 x 6, shelves 1..6
OPEN = "type octile\nheight 12\nwidth 12\nmap\n" + "\n".join(["." * 12] * 12)
MAP = "type octile\nheight 6\nwidth 8\nmap\n........\n.@@..@@.\n........\n..@@@@..\n.@....@@\n........"


def hall(agents, **options):
    env = sandbox.make("warehouse", layout=HALL, agents=len(agents), requests=2, deliveries=0, **options)
    state = env.reset([1])
    env.place(state, 0, {"agents": agents, "requests": [1, 2]})
    return env, state


def robot(row, col, facing="north", carrying=None):
    return {"row": row, "col": col, "facing": facing, "carrying": carrying}


def act(env, state, *verbs):
    actions = np.zeros((1, env.agents, 2), np.int32)
    actions[0, :, 0] = [Verb[verb.upper()] for verb in verbs]
    env.step(state, actions)
    return [(a["row"], a["col"]) for a in env.describe(state)["agents"]]


# -- the rules, drawn by hand ------------------------------------------------------------------------------------------


def test_turning():
    env, state = hall([robot(0, 0)])
    seen = []
    for verb in ["left"] * 4 + ["right"] * 4:
        act(env, state, verb)
        seen.append(env.describe(state)["agents"][0]["facing"])
    assert seen == ["west", "south", "east", "north", "east", "south", "west", "north"]


def test_a_chain_moves_as_one():
    env, state = hall([robot(0, 0, "east"), robot(0, 1, "east"), robot(0, 2, "east")])
    assert act(env, state, "forward", "forward", "forward") == [(0, 1), (0, 2), (0, 3)]


def test_nobody_moves_behind_one_who_stays():
    env, state = hall([robot(0, 0, "east"), robot(0, 1, "east"), robot(0, 2, "east")])
    assert act(env, state, "forward", "forward", "noop") == [(0, 0), (0, 1), (0, 2)]
    assert state.refused[0].tolist() == [1, 1, 0]


def test_a_swap_is_impossible_and_a_ring_turns():
    env, state = hall([robot(0, 0, "east"), robot(0, 1, "west")])
    assert act(env, state, "forward", "forward") == [(0, 0), (0, 1)]
    ring = [robot(0, 0, "east"), robot(0, 1, "south"), robot(1, 1, "west"), robot(1, 0, "north")]
    env, state = hall(ring)
    assert act(env, state, *["forward"] * 4) == [(0, 1), (1, 1), (1, 0), (0, 0)]


def test_the_longer_chain_goes_first():
    env, state = hall([robot(0, 3, "west"), robot(0, 0, "east"), robot(0, 1, "east")])
    assert act(env, state, "forward", "forward", "forward") == [(0, 3), (0, 1), (0, 2)]


def test_loads_do_not_pass_standing_shelves():
    env, state = hall([robot(1, 1, "east", carrying=1)])
    assert not env.observe(state).mask[0, 0, Verb.FORWARD]
    assert act(env, state, "forward") == [(1, 1)]
    env, state = hall([robot(1, 1, "east")])
    assert act(env, state, "forward") == [(1, 2)]


def test_a_delivery_and_the_way_back():
    env, state = hall([robot(1, 1, "west")], reward="two_stage")
    act(env, state, "toggle_load")
    assert env.describe(state)["agents"][0]["carrying"] == 1
    rewards = []
    for verb in ["forward", "left", "forward", "forward", "left", "forward", "forward"]:
        act(env, state, verb)
        rewards.append(float(state.reward[0, 0]))
    described = env.describe(state)
    assert described["agents"][0]["row"] == 3 and described["agents"][0]["col"] == 2
    assert rewards == [0, 0, 0, 0, 0, 0, 0.5]
    assert described["delivered"] == 1 and 1 not in described["requests"]
    act(env, state, "toggle_load")
    assert env.describe(state)["agents"][0]["carrying"] == 1, "loads are not put down in an aisle"
    for verb in ["left", "left", "forward", "forward", "right", "forward", "forward", "right", "forward"]:
        act(env, state, verb)
    act(env, state, "toggle_load")
    assert env.describe(state)["agents"][0]["carrying"] is None and state.reward[0, 0] == 0.5


def test_place_says_what_is_wrong():
    env, state = hall([robot(0, 0), robot(0, 1)])
    before = env.digest(state)
    for description, told in [
        ({"agents": [robot(0, 0)]}, "1 agents, expected 2"),
        ({"agents": [robot(0, 0), robot(0, 0)]}, "is there"),
        ({"agents": [robot(0, 0), robot(9, 0)]}, "expected an open cell"),
        ({"agents": [robot(0, 0), robot(0, 1, "up")]}, "unknown facing"),
        ({"agents": [robot(0, 0), robot(0, 1, carrying=99)]}, "expected an id of 1..6"),
        ({"agents": [robot(0, 0), {**robot(0, 1), "speed": 3}]}, "unknown key 'speed'"),
        ({"requests": [1, 1]}, "different shelves"),
        ({"goal": [[0, 0]]}, "did you mean 'goals'"),
        ({"goals": [[0, 0]]}, "cannot be moved"),
        ({"shelves": [{"id": 1, "row": 1, "col": 2}]}, "both at"),
        ({"tick": "soon"}, "expected what describe() returns"),
    ]:
        with pytest.raises(UsageError, match=told.replace("(", r"\(").replace(")", r"\)")):
            env.place(state, 0, description)
        assert env.digest(state) == before


# -- layouts -----------------------------------------------------------------------------------------------------------


def test_named_layouts_are_rwares():
    for name, (rows, columns) in SIZES.items():
        peer_env = rware.Warehouse(columns, 8, rows, 2, 0, 1, 2, None, None, rware.RewardType.GLOBAL)
        layout = load(name)
        assert np.array_equal(layout.plan == Cell.SLOT, peer_env.highways == 0)
        assert layout.goals.tolist() == [[y, x] for x, y in peer_env.goals]


def test_rware_text_is_read_as_rware_reads_it():
    text = "\n . . x .\n. x x .\n. . g g\n"
    options = (2, 0, 1, 1, None, None, rware.RewardType.GLOBAL)
    peer_env, layout = rware.Warehouse(1, 1, 1, *options, layout=text), load(text)
    assert np.array_equal(layout.plan == Cell.SLOT, peer_env.highways == 0)
    assert layout.goals.tolist() == [[y, x] for x, y in peer_env.goals]


def test_a_map_is_cut_to_its_largest_region():
    plan = load(MAP.replace("..@@@@..", "@@@@@@@@")).plan
    assert (plan[:3] != Cell.WALL).sum() == 20 and (plan[3:] == Cell.WALL).all()


@pytest.mark.parametrize("rows", [2, 17, 32])  # of 16 shelves: fewer than a block, one and a bit, two whole ones
def test_each_order_is_one_of_the_shelves_that_wait_whatever_their_number(rows):
    layout = "\n".join([".x" * 16] * rows + ["g" + "." * 31])
    env = sandbox.make("warehouse", layout=layout, agents=2, requests=16 * rows - 1)
    state, left = env.reset([5]), list(range(1, 16 * rows + 1))
    drawn = [left.pop(below(len(left), np.uint64(5), 0, Stream.REQUEST, k)) for k in range(16 * rows - 1)]
    assert state.request[0].tolist() == drawn
    assert np.flatnonzero(state.requested[0] == 0).tolist() == [left[0] - 1]


# -- what policies achieve ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", list(SIZES))
def test_the_oracle_completes_every_named_layout(layout):
    for agents in (4, 8):
        env = sandbox.make("warehouse", layout=layout, agents=agents)
        state, stats = env.play(range(1000), "oracle", threads=None)
        assert (state.done == Finish.COMPLETED).all()
        assert stats.refused.sum() == 0, "a move of the oracle collided"
        assert stats.invalid.sum() == 0


@pytest.mark.parametrize("layout", ["tiny", "small"])
def test_rules_complete_and_idle_do_not(layout):
    env = sandbox.make("warehouse", layout=layout, agents=4)
    state, stats = env.play(range(1000), "rules", threads=None)
    assert (state.done == Finish.COMPLETED).mean() >= 0.95
    assert stats.invalid.sum() == 0
    state, _ = env.play(range(1000), "idle", threads=None)
    assert not (state.done == Finish.COMPLETED).any()


def test_rules_find_shelves_without_the_board():
    env = sandbox.make("warehouse", layout="tiny", agents=4, board=False, deliveries=2)
    state, _ = env.play(range(200), "rules", threads=None)
    assert (state.done == Finish.COMPLETED).mean() > 0.9


def test_a_robot_alone_gives_way_to_nobody():
    env = sandbox.make("warehouse", layout="small", agents=1, requests=8, deliveries=40, max_ticks=8000)
    state, _ = env.play(range(200), "rules", threads=None)
    assert (state.done == Finish.COMPLETED).all()
    assert state.tick.max() < 60 * 40, "an order takes some 50 ticks, with all ways and turns"


def test_a_shelf_whose_slot_is_taken_goes_into_an_empty_one():
    env = sandbox.make("warehouse", layout="tiny", agents=2, requests=2, deliveries=0)
    episode = Episode(env, 1, ["rules", "idle"])
    state = episode.state
    shelves = {shelf["id"]: (shelf["row"], shelf["col"]) for shelf in env.describe(state)["shelves"]}
    asked = env.describe(state)["requests"]
    mine, other = [shelf for shelf in shelves if shelf not in asked][:2]
    aisle = [tuple(cell) for cell in np.argwhere(env.params.plan == Cell.FLOOR).tolist()]
    moved = [{"id": k, "row": row, "col": col} for k, (row, col) in shelves.items()]
    moved[mine - 1].update(zip(("row", "col"), aisle[-1], strict=True))
    env.place(state, 0, {"agents": [robot(*aisle[-1], carrying=mine), robot(*aisle[0])], "shelves": moved})
    episode.memory.notes[0, 0, Note.HOME] = shelves[other][0] * env.params.plan.shape[1] + shelves[other][1]
    for _ in range(300):
        episode.tick()
        if not state.carrying[0, 0]:
            break
    assert tuple(state.shelf[0, mine - 1].tolist()) == shelves[mine], "that is the only empty slot"


def test_couriers_go_round_robots_that_stand():
    """Who stands for ever may keep a load from its end, and else hardly anything: two side by side may."""
    env = sandbox.make("warehouse", layout=OPEN, agents=6, requests=8, deliveries=20, max_ticks=3000)
    state, _ = env.play(range(100), ["rules", *["idle"] * 5], threads=None)
    stands = [set(map(tuple, state.pos[lane, 1:].tolist())) for lane in range(100)]
    loads = state.carrying[:, 0]
    stuck = [load and tuple(state.drop[lane, load - 1].tolist()) in stands[lane] for lane, load in enumerate(loads)]
    assert (state.done == Finish.COMPLETED).sum() > 20
    assert ((state.done == Finish.COMPLETED) | np.array(stuck, bool)).mean() >= 0.95


def test_couriers_never_collide():
    """Lifelong pick-up and drop-off: no two in a cell, no two through an edge, moves of one cell, none into a wall."""
    env = sandbox.make("warehouse", layout=MAP, agents=12, deliveries=0, max_ticks=400)
    for policy in ("oracle", "rules", "random"):
        episode = Episode(env, 3, [policy] * 12)
        state = episode.state
        for _ in range(400):
            before = state.pos[0].copy()
            episode.tick()
            after = state.pos[0]
            assert len({tuple(cell) for cell in after.tolist()}) == 12
            assert np.abs(after - before).sum(axis=1).max() <= 1
            assert (env.params.plan[after[:, 0], after[:, 1]] == Cell.FLOOR).all()
            old, new = before.tolist(), after.tolist()
            edges = {(tuple(a), tuple(b)) for a, b in zip(old, new, strict=True) if a != b}
            assert not any((b, a) in edges for a, b in edges)
        if policy == "oracle":
            assert state.delivered[0] > 30 and not state.refused.any()


def test_a_crowd_of_couriers_on_a_large_map():
    rng = np.random.default_rng(0)
    rows = ["".join(row) for row in np.where(rng.random((120, 120)) < 0.1, "@", ".")]
    layout = "\n".join(["type octile", "height 120", "width 120", "map", *rows])
    env = sandbox.make("warehouse", layout=layout, agents=1000, deliveries=0, max_ticks=150)
    state, stats = env.play([1], "oracle")
    assert state.delivered[0] > 200 and stats.refused.sum() == 0


# -- perturbations -----------------------------------------------------------------------------------------------------


def share(env, measure, seeds=200):
    return np.mean([measure(env.reset([seed])) for seed in range(seeds)])


def test_closed_aisles_leave_all_within_reach():
    env = sandbox.make("warehouse", layout="large", agents=2, perturb={"blocked_aisles": 1.0})
    closed = 0
    for seed in range(50):
        state = env.reset([seed])
        grid = state.grid[0]
        closed += (grid == Cell.BLOCKED).sum()
        text = "\n".join("".join(".xgX."[k] if k < 3 else "x" for k in row) for row in grid)
        assert "g" in text
        aisles = (grid == Cell.FLOOR) | (grid == Cell.GOAL)
        reach = _reached(aisles, tuple(env.params.goals[0]))
        assert (reach == aisles).all()
        for row, col in env.params.homes:
            assert any(reach[r, c] for r, c in _beside(row, col, grid.shape))
    assert closed > 200


def _beside(row, col, shape):
    cells = ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1))
    return [(r, c) for r, c in cells if 0 <= r < shape[0] and 0 <= c < shape[1]]


def _reached(open_cells, start):
    seen, left = np.zeros_like(open_cells), [start]
    while left:
        cell = left.pop()
        if open_cells[cell] and not seen[cell]:
            seen[cell] = True
            left += _beside(*cell, open_cells.shape)
    return seen
