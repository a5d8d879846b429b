"""The sidebar of Watch: what is chosen there becomes a scenario and a seed."""

from functools import cache
from typing import NamedTuple

import streamlit as st

from sandbox.core.errors import UsageError
from sandbox.core.perturb import Perturbation
from sandbox.core.registry import find, names
from sandbox.core.world import World
from sandbox.engine.stage import make

TEAM = 19  # agents at most: as many as RWARE registers
BUTTONS = 45  # letters of choices that stand side by side; more of them make a list
OF_A_WORLD = ("layout", "team", "policy")  # keys of what is chosen anew with another world
SEEDS = 2**64


class Choice(NamedTuple):
    """A world and what to try in it."""

    world: World
    scenario: dict
    seed: int


def choose() -> Choice:
    """Draw the sidebar; raises UsageError where a value is none."""
    with st.sidebar:
        st.markdown("### Sandbox", help="A wind tunnel for agent teams: choose one, watch it, see what it can do.")
        world = _world()
        layout = _pick("Layout", "layout", list(world.layouts), _usual_layout(world), "What the place is like.")
        team = st.slider(
            f"Team size ({world.roles[0]}s)", 1, *_team(world), key="team", bind="query-params",
            help="How many work at the same task.",
        )  # fmt: skip
        policy = _pick("Policy", "policy", list(world.policies), _usual(world), _policy_help(world))
        doses = _doses(world)
        seed = _seed()
    scenario = {"world": {"name": world.name, "layout": layout}, "agents": [{"count": team, "reasoner": policy}]}
    return Choice(world, scenario | ({"perturb": doses} if doses else {}), seed)


def _pick(label: str, key: str, options: list[str], usual: str, words: str) -> str:
    """One of a few; a default beside a value from the address would be warned of in the server's log."""
    given = st.query_params.get(key) in options
    if sum(map(len, options)) > BUTTONS:
        index = {} if given else {"index": options.index(usual)}
        return st.selectbox(label, options, key=key, bind="query-params", help=words, **index)
    return st.segmented_control(
        label, options, default=None if given else usual, required=True, key=key, bind="query-params", help=words
    )


def _world() -> World:
    known = names()
    if len(known) == 1:
        return find(known[0])
    words = "Where the team works."
    return find(st.selectbox("World", known, key="world", bind="query-params", help=words, on_change=_forget))


def _forget() -> None:
    """Another world has other layouts and policies, and a team of its own size."""
    for key in OF_A_WORLD:
        st.session_state.pop(key, None)
        st.query_params.pop(key, None)


def _team(world: World) -> tuple[int, int]:
    """The largest team that can be chosen, and the usual one."""
    field = world.options.model_fields["agents"]
    most = min([TEAM, *(rule.le for rule in field.metadata if hasattr(rule, "le"))])
    return most, field.default


def _usual_layout(world: World) -> str:
    given = world.options.model_fields["layout"].default
    return given if given in world.layouts else world.layouts[0]


def _usual(world: World) -> str:
    return "rules" if "rules" in world.policies else next(iter(world.policies))


def _policy_help(world: World) -> str:
    sighted = ", ".join(name for name in world.policies if name in world.sighted)
    return "Who decides for the team. Each agent decides from its own observation" + (
        f"; only {sighted} sees the whole state, as a yardstick." if sighted else "."
    )


@cache
def _acting(world: World) -> tuple[Perturbation, ...]:
    return make(world.name).perturbations


def _doses(world: World) -> dict[str, float]:
    """What goes wrong and how badly; doses of 0 are left out."""
    doses = {}
    with st.expander("Disturbances", icon=":material/bolt:"):
        st.caption("How badly things go wrong: 0 is a normal day, 1 the worst.")
        for each in _acting(world):
            label = each.name.replace("_", " ").capitalize()
            summary = each.summary[:1].upper() + each.summary[1:]
            value = st.slider(label, 0.0, 1.0, 0.0, 0.05, key=each.name, help=f"{summary}.", bind="query-params")
            if value:
                doses[each.name] = value
    return doses


def _seed() -> int:
    text = st.text_input(
        "Seed", "1", key="seed", bind="query-params",
        help="Every draw of chance follows from it: the same seed gives the same episode.",
    )  # fmt: skip
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit()) or int(text) >= SEEDS:
        raise UsageError(f"seed: '{text}' is no whole number of 0..2**64-1")
    return int(text)
