"""The kitchen: beside overcooked-ai, and what each policy serves, beside the package's own greedy pair."""

import contextlib
import io
import sys

import numpy as np

np.Inf = np.inf  # overcooked-ai 1.1.0 was written for NumPy 1

with contextlib.redirect_stderr(io.StringIO()):  # it imports gym, which complains
    from overcooked_ai_py.agents.agent import AgentPair, GreedyHumanModel
    from overcooked_ai_py.mdp.actions import Action
    from overcooked_ai_py.mdp.overcooked_mdp import OvercookedGridworld
    from overcooked_ai_py.planning.planners import NO_COUNTERS_PARAMS, MediumLevelActionManager

import sandbox
from benchmarks.pace import Pace, seconds
from benchmarks.report import machine, met, table

EPISODE = 400  # ticks
CLASSIC = ("cramped_room", "asymmetric_advantages", "coordination_ring", "forced_coordination", "counter_circuit")


# -- beside overcooked-ai ----------------------------------------------------------------------------------------------


def play_peer(mdp, episodes: int) -> int:
    """overcooked-ai without its planners; its actions are drawn beforehand, and nothing is observed: no cost to it."""
    verbs = np.random.default_rng(0).integers(0, 6, (EPISODE, 2)).tolist()
    joint = [tuple(Action.INDEX_TO_ACTION[verb] for verb in pair) for pair in verbs]
    for _ in range(episodes):
        state = mdp.get_standard_start_state()
        for actions in joint:
            state, _ = mdp.get_state_transition(state, actions)
    return episodes * EPISODE


def play_ours(stage, policy: str, episodes: int, threads: int) -> int:
    """The same of ours, with observing, with drawing the actions, and with setting the episodes up."""
    state, *_ = stage.play(range(episodes), policy, threads=threads)
    return int(state.tick.sum())


def beside_peer(quick: bool) -> None:
    mdp = OvercookedGridworld.from_layout_name("cramped_room")
    stage = sandbox.make("kitchen", soups=0, max_ticks=EPISODE)
    for policy in ("random", "rules", "oracle"):
        stage.play([0], policy)
    episodes = 2000 if quick else 8000
    peer = Pace("overcooked-ai 1.1.0, random", lambda: play_peer(mdp, 4 if quick else 20))
    one = Pace("ours, random, 1 thread", lambda: play_ours(stage, "random", episodes, 1))
    two = Pace("ours, random, 2 threads", lambda: play_ours(stage, "random", episodes, 2))
    rules = Pace("ours, rules, 1 thread", lambda: play_ours(stage, "rules", episodes // 4, 1))
    oracle = Pace("ours, oracle, 1 thread", lambda: play_ours(stage, "oracle", episodes // 4, 1))
    paces = (peer, one, two, rules, oracle)
    for _ in range(3 if quick else 7):  # in turn: what else the machine does hits all alike
        for pace in paces:
            pace.run()
    rows = [
        [p.name, p.rate, min(p.rates()), max(p.rates()), p.rate / peer.rate, p.cores, p.cpu_rate,
         met(one.cpu_rate / peer.cpu_rate, 300) if p is one else ""]
        for p in paces
    ]  # fmt: skip
    columns = ["", "steps/s", "least", "most", "x peer", "cores", "steps/CPU s", "target, by CPU time"]
    table("Joint steps: cramped_room, 2 cooks, observations included, episodes of 400 ticks", columns, rows)


# -- what is served ----------------------------------------------------------------------------------------------------


def greedy_pair(layout: str) -> tuple[int, float]:
    """Soups that two of the package's GreedyHumanModels serve in 400 ticks, and the seconds that planning takes."""
    mdp = OvercookedGridworld.from_layout_name(layout)

    def play() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            manager = MediumLevelActionManager.from_pickle_or_compute(mdp, NO_COUNTERS_PARAMS, force_compute=True)
            pair = AgentPair(GreedyHumanModel(manager), GreedyHumanModel(manager))
            pair.set_mdp(mdp)
            state = mdp.get_standard_start_state()
            for _ in range(EPISODE):
                joint = tuple(action for action, _ in pair.joint_action(state))
                state, infos = mdp.get_state_transition(state, joint)
                soups.append(sum(infos["event_infos"]["soup_delivery"]))

    soups: list[int] = []
    np.random.seed(0)
    return 0, seconds(play) if not soups else 0.0


def served(quick: bool) -> None:
    rows = []
    for layout in CLASSIC:
        stage = sandbox.make("kitchen", layout=layout, soups=0, max_ticks=EPISODE)
        row: list = [layout]
        for policy in ("random", "rules", "oracle"):
            state, *_ = stage.play(range(50 if quick else 500), policy, threads=None)
            row += [float(state.served.mean()), int(state.served.min())]
        rows.append([*row, met(row[4], 5), met(row[6], 9) if layout == "cramped_room" else ""])
    columns = ["layout", "random", "least", "rules", "least", "oracle", "least", "rules: target", "oracle: target"]
    table("Soups served in 400 ticks by two cooks: mean and least", columns, rows)


PARTS = {"peer": beside_peer, "served": served}


def main(quick: bool = False, only: str | None = None) -> None:
    if only not in (None, *PARTS):
        sys.exit(f"no part {only!r}; there are {', '.join(PARTS)}")
    machine("overcooked-ai")
    for name, part in PARTS.items():
        if only in (None, name):
            part(quick)
