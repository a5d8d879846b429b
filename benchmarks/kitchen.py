"""The kitchen: beside overcooked-ai, and what each policy serves, beside the package's own greedy pair."""

import contextlib
import io

import numpy as np

import sandbox
from benchmarks.report import Figure, at_least, show, table, times
from benchmarks.rounds import Pace, in_turns

np.Inf = np.inf  # overcooked-ai 1.1.0 was written for NumPy 1

with contextlib.redirect_stderr(io.StringIO()):  # it imports gym, which complains
    from overcooked_ai_py.agents.agent import AgentPair, GreedyHumanModel
    from overcooked_ai_py.mdp.actions import Action
    from overcooked_ai_py.mdp.overcooked_env import OvercookedEnv
    from overcooked_ai_py.mdp.overcooked_mdp import OvercookedGridworld
    from overcooked_ai_py.planning.planners import NO_COUNTERS_PARAMS, MediumLevelActionManager

EPISODE = 400  # ticks
ALONE = (
    "cramped_room",
    "asymmetric_advantages",
    "coordination_ring",
)  # where its greedy model can work, and soon plans
CLASSIC = ("cramped_room", "asymmetric_advantages", "coordination_ring", "forced_coordination", "counter_circuit")


# -- beside overcooked-ai ----------------------------------------------------------------------------------------------


def joint_actions(episodes: int) -> list:
    """Drawn beforehand, at no cost to the peer."""
    verbs = np.random.default_rng(0).integers(0, 6, (episodes, EPISODE, 2)).tolist()
    return [[tuple(Action.INDEX_TO_ACTION[verb] for verb in pair) for pair in episode] for episode in verbs]


def play_transitions(mdp, episodes: list) -> int:
    """The bare rules of overcooked-ai: no environment around them, nothing observed."""
    for episode in episodes:
        state = mdp.get_standard_start_state()
        for joint in episode:
            state, _ = mdp.get_state_transition(state, joint)
    return len(episodes) * EPISODE


def play_env(peer_env, episodes: list, observed: bool) -> int:
    """overcooked-ai's environment, with or without its own observation of a state, the lossless encoding."""
    for episode in episodes:
        peer_env.reset()
        for joint in episode:
            state, *_ = peer_env.step(joint)
            if observed:
                peer_env.lossless_state_encoding_mdp(state)
    return len(episodes) * EPISODE


def play_ours(env, policy: str, episodes: int, threads: int) -> int:
    """The same of ours, with observing, with drawing the actions, and with setting the episodes up."""
    state, _ = env.play(range(episodes), policy, threads=threads)
    return int(state.tick.sum())


def beside_peer(quick: bool) -> list[Figure]:
    """Joint steps: cramped_room, 2 cooks, random actions, ours always with observations."""
    mdp = OvercookedGridworld.from_layout_name("cramped_room")
    peer_env = OvercookedEnv.from_mdp(mdp, horizon=EPISODE, info_level=0)
    env = sandbox.make("kitchen", soups=0, max_ticks=EPISODE)
    for policy in ("random", "rules", "oracle"):
        env.play([0], policy)
    with contextlib.redirect_stdout(io.StringIO()):
        peer_env.step(joint_actions(1)[0][0])  # computes a motion planner first
    given, episodes = joint_actions(4 if quick else 20), 2000 if quick else 8000
    peer = Pace("overcooked-ai's environment and observation", lambda: play_env(peer_env, given, True))
    blind = Pace("overcooked-ai's environment", lambda: play_env(peer_env, given, False))
    bare = Pace("overcooked-ai's bare transitions", lambda: play_transitions(mdp, given))
    one = Pace("ours, random, 1 thread", lambda: play_ours(env, "random", episodes, 1))
    two = Pace("ours, random, 2 threads", lambda: play_ours(env, "random", episodes, 2))
    rules = Pace("ours, rules, 1 thread", lambda: play_ours(env, "rules", episodes // 4, 1))
    oracle = Pace("ours, oracle, 1 thread", lambda: play_ours(env, "oracle", episodes // 4, 1))
    in_turns(3 if quick else 7, peer, blind, bare, one, two, rules, oracle)
    whole, *lesser = peers = [pace.figure("joint steps") for pace in (peer, blind, bare)]
    return [
        *peers, one.figure("joint steps", beside=whole, target=times(300)),
        *(one.figure("joint steps", beside=other) for other in lesser),
        two.figure("joint steps", beside=one.figure("joint steps")),
        *(pace.figure("joint steps") for pace in (rules, oracle)),
    ]  # fmt: skip


# -- what is served ----------------------------------------------------------------------------------------------------


def greedy_pair(layout: str, episodes: int) -> list[int]:
    """Soups that two of the package's GreedyHumanModels serve in 400 ticks, in each episode."""
    mdp = OvercookedGridworld.from_layout_name(layout)
    with contextlib.redirect_stdout(io.StringIO()):
        manager = MediumLevelActionManager(mdp, NO_COUNTERS_PARAMS)
    totals = []
    for episode in range(episodes):
        np.random.seed(episode)
        pair = AgentPair(GreedyHumanModel(manager), GreedyHumanModel(manager))
        pair.set_mdp(mdp)
        state, soups = mdp.get_standard_start_state(), 0
        for _ in range(EPISODE):
            state, infos = mdp.get_state_transition(state, tuple(action for action, _ in pair.joint_action(state)))
            soups += sum(infos["event_infos"]["soup_delivery"])
        totals.append(soups)
    return totals


def served(quick: bool) -> None:
    rows, targets = [], []
    for layout in CLASSIC:
        env = sandbox.make("kitchen", layout=layout, soups=0, max_ticks=EPISODE)
        row: list = [layout]
        for policy in ("random", "rules", "oracle"):
            state, _ = env.play(range(50 if quick else 500), policy, threads=None)
            row += [float(state.served.mean()), int(state.served.min())]
        greedy = greedy_pair(layout, 2 if quick else 10) if layout in ALONE else []
        row.append(f"{np.mean(greedy):.1f}, {min(greedy)}" if greedy else "cannot")
        rows.append(row)
        targets.append(Figure(f"{layout}, rules: least", "soups", [row[4]], target=at_least(5)))
        if layout == "cramped_room":
            targets.append(Figure(f"{layout}, oracle: least", "soups", [row[6]], target=at_least(9)))
    columns = ["layout", "random", "least", "rules", "least", "oracle", "least", "greedy pair"]
    table("Soups served in 400 ticks by two cooks: mean and least", columns, rows)
    show("Targets", targets)


PEERS = ("overcooked-ai",)
SPEEDS = {"peer": beside_peer}
PARTS = {"served": served}
