"""The scenario builder: a world, its agents, how each decides, and how they work together."""

from typing import Any

import streamlit as st
from pydantic import BaseModel

from sandbox.agents.generalist.options import GENERALIST, GeneralistOptions
from sandbox.agents.llm.options import Options
from sandbox.core.trained_policy import is_trained
from sandbox.core.world import World
from sandbox.core.world_model import WorldModel
from sandbox.engine.environment import make
from sandbox.engine.registry import find, names
from sandbox.engine.trained import shipped_policies
from sandbox.scenario.schema import SEARCH, TRAINED, AgentGroup, compiled_reasoners, kind_of
from sandbox.studio.views.address import CHOICES, SETUP, among, forget, usual, within
from sandbox.teams.graphs import OPTIONS
from sandbox.teams.protocols import PROTOCOLS

TEAM = 19  # agents of a group, at most; the largest team that RWARE registers
GROUPS = 3
BUTTONS = 60  # letters of choices shown side by side; longer ones become a list
OF_A_WORLD = tuple(key for key in CHOICES if key not in ("world", "seed"))  # keys of choices that another world resets
ALONE = "none"
POLICY = "policy"  # key of the choice of a group's reasoner
HUMAN, MODEL = "human", "llm"
WORDS = {
    SEARCH: "looks ahead in futures that it imagines", HUMAN: "you decide", MODEL: "a language model decides",
    GENERALIST: "does what you tell it in a sentence",
    "idle": "does nothing", "random": "does anything", "rules": "follows rules on what it sees",
    "oracle": "sees the whole state, as a yardstick", TRAINED: "was trained, and comes with Sandbox",
}  # fmt: skip


def compose() -> dict[str, Any]:
    """Draw the choices; returns the scenario as a table."""
    world = _world()
    layout = _pick("Layout", "layout", list(world.layouts), _usual_layout(world), "What the place is like.",
                   on_change=_forget_layout)  # fmt: skip
    groups = [_group(world, layout, 1)]
    with st.expander("More agents", icon=":material/group_add:"):
        st.caption("Agents that decide in another way, in the same team.")
        groups += [_group(world, layout, number) for number in range(2, GROUPS + 1)]
    scenario = {"world": {"name": world.name, "layout": layout}, "agents": [group for group in groups if group]}
    team = _team(world)
    return scenario | ({"team": team} if team else {})


def _pick(label: str, key: str, options: list[str], value: str, words: str, **more: Any) -> str:
    """A choice. A default beside a value from the address would cause a warning in the server's log."""
    given = among(key, options, label.lower())
    alike = {"key": key, "bind": "query-params", "help": words, **more}
    if sum(map(len, options)) > BUTTONS:
        return st.selectbox(label, options, **usual(key, value, index=options.index(value)), **alike)
    default = usual(key, value, default=None if given else value)
    return st.segmented_control(label, options, required=True, **default, **alike)


def _world() -> World:
    words = "Where the team works."
    among("world", names(), "world")
    return find(st.selectbox("World", names(), **usual("world", names()[0], index=0), key="world", bind="query-params",
                             help=words, on_change=forget, args=(OF_A_WORLD,)))  # fmt: skip


def _usual_layout(world: World) -> str:
    given = world.options.model_fields["layout"].default
    return given if given in world.layouts else world.layouts[0]


def _forget_layout() -> None:
    """Reset what depends on the layout: what was set up by hand, and trained policies, which fit some layouts only."""
    trained = [key for key, value in st.session_state.items() if key.startswith(POLICY) and is_trained(value)]
    forget((SETUP, POLICY) if trained else (SETUP,))


# -- agents ------------------------------------------------------------------------------------------------------------


def _group(world: World, layout: str, number: int) -> dict[str, Any] | None:
    """A group of agents with one reasoner; groups after the first may be empty."""
    first = number == 1
    most, size = _sizes(world)
    place = "" if first else f".{number}"
    label = f"Team size ({world.roles[0]}s)" if first else f"Group {number}"
    count = _number(label, f"team{place}", int(first), most, size if first else 0, _words(AgentGroup, "count"))
    if not count:
        return None
    options = [*compiled_reasoners(world), *_trained(world, layout), HUMAN, MODEL]
    options += [GENERALIST] if world.instructed else []
    reasoner = _pick("Reasoner", f"{POLICY}{place}", options, _usual(world), _words_of(options))
    return {"count": count, "reasoner": reasoner} | _details(world, reasoner, place)


def _trained(world: World, layout: str) -> tuple[str, ...]:
    """The trained policies that come with the package and fit the layout."""
    return make(world.name, layout=layout).shipped_reasoners if shipped_policies(world) else ()


def _details(world: World, reasoner: str, place: str) -> dict[str, Any]:
    """The options that some reasoners need."""
    base = _usual(world)
    if reasoner == SEARCH:
        horizon = _number("Horizon", f"horizon{place}", 0, 60, 12, _words(WorldModel, "horizon"))
        futures = _number("Futures", f"futures{place}", 1, 64, 16, _words(WorldModel, "futures"))
        return {"world_model": {"horizon": horizon, "futures": futures, "base": base}}
    if reasoner == HUMAN:
        return {"fallback": base}
    if reasoner == GENERALIST:
        first = world.instructed.instructions[0].name
        said = st.text_input("Instruction", key=f"told{place}", help=_words(GeneralistOptions, "instruction"),
                             bind="query-params", **usual(f"told{place}", first, value=first))  # fmt: skip
        return {GENERALIST: {"instruction": said}}
    if reasoner == MODEL:
        words = f"{_words(Options, 'model')} Keys come from the environment."
        name = st.text_input("Model", key=f"model{place}", help=words, bind="query-params",
                             **usual(f"model{place}", "scripted", value="scripted"))  # fmt: skip
        return {"fallback": base, "llm": {"model": name}}
    return {}


def _number(label: str, key: str, least: int, most: int, value: int, words: str | None) -> int:
    within(key, least, most)
    return st.slider(label, least, most, **usual(key, value, value=value), key=key, bind="query-params", help=words)


def _words(table: type[BaseModel], option: str) -> str | None:
    """The description of an option of a scenario."""
    return table.model_fields[option].description


def _sizes(world: World) -> tuple[int, int]:
    """The largest team that can be chosen, and the usual one."""
    field = world.options.model_fields["agents"]
    most = min([TEAM, *(rule.le for rule in field.metadata if hasattr(rule, "le"))])
    return most, field.default


def _usual(world: World) -> str:
    return "rules" if "rules" in world.policies else next(iter(world.policies))


def _words_of(reasoners: list[str]) -> str:
    known = {name: kind_of(name) for name in reasoners}
    told = [f"{name} {WORDS[kind]}" for name, kind in known.items() if kind in WORDS]
    return "Who decides for them, each for itself: " + "; ".join(told) + "."


# -- the team ----------------------------------------------------------------------------------------------------------


def _team(world: World) -> dict[str, Any] | None:
    """The team's options; None if each agent works alone."""
    if not world.teamwork:
        return None
    with st.expander("Team", icon=":material/hub:"):
        protocols = "; ".join(f"{name}: {each.summary}" for name, each in PROTOCOLS.items())
        among("protocol", [ALONE, *PROTOCOLS], "protocol")
        default = usual("protocol", ALONE, index=0)
        protocol = st.selectbox("Protocol", [ALONE, *PROTOCOLS], **default, key="protocol", bind="query-params",
                                help=f"How tasks are shared out. {protocols}.")  # fmt: skip
        if protocol == ALONE:
            return None
        kinds = [kind for kind in OPTIONS if kind != "file"]
        among("network", kinds, "network")
        default = usual("network", "complete", index=kinds.index("complete"))
        network = st.selectbox("Network", kinds, **default, key="network", bind="query-params",
                               help="Who can speak to whom.")  # fmt: skip
    return {"protocol": protocol, "network": network}
