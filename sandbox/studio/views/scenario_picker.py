"""The sidebar of Watch: pick, upload or compose a scenario, disturb it, and set its seed."""

from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

import streamlit as st

from sandbox.core.errors import UsageError
from sandbox.core.perturb import GENERIC, OF_MESSAGES, Perturbation
from sandbox.core.world import World
from sandbox.engine.environment import make
from sandbox.engine.registry import find
from sandbox.scenario import Scenario, load
from sandbox.scenario.capabilities import Origin, page
from sandbox.scenario.load import as_toml
from sandbox.studio.backend import wording
from sandbox.studio.backend.lesson_arm import PREFIX, named
from sandbox.studio.backend.places import opened, scenario_files
from sandbox.studio.backend.setup import Drawn, from_address
from sandbox.studio.views.address import SETTING, SETUP, among, chosen, forget, usual, within
from sandbox.studio.views.scenario_builder import compose
from sandbox.studio.views.shared import download, plain
from sandbox.studio.views.upload import upload

OWN, UPLOADED = "Compose one", "An uploaded file"


class Choice(NamedTuple):
    """A scenario to watch, and its seed."""

    world: World
    scenario: Scenario
    seed: int
    own: Scenario  # the scenario without what was set up by hand
    drawn: Drawn  # what was set up by hand


def choose() -> Choice:
    """Draw the sidebar; raises UsageError for an invalid value."""
    with st.sidebar:
        st.markdown("### Sandbox", help="A wind tunnel for agent teams: choose one, watch it, see what it can do.")
        source = _source()
        _set_up()
        base, origin = (compose(), page()) if source == OWN else _opened(source)
        seed = _seed(base.get("seed", 1))
        world = find(base["world"]["name"])
        severities = _doses(world, "team" in base, base.get("perturb", {}))
        chosen()
        scenario = {key: value for key, value in base.items() if key not in ("perturb", "seed", "sweep", "trials")}
        scenario |= {"perturb": severities} if severities else {}
        own = load(scenario, origin=origin)
        drawn = from_address(st.query_params.get(SETUP, ""))
        found = load(drawn.into(own.model_dump()), origin=own.origin) if drawn != Drawn() else own
        download("Export TOML", lambda: as_toml({**found.as_dict(), "seed": seed}), "scenario.toml",
                 "application/toml", "For `sandbox run` and `sandbox batch`.")  # fmt: skip
    return Choice(world, found, seed, own, drawn)


def set_up() -> None:
    """To the set-up by hand."""
    st.query_params[SETTING] = "1"


def _set_up() -> None:
    """Buttons that lead to the set-up by hand, and that forget it, if the address has one."""
    with st.container(horizontal=True):
        st.button("Set up by hand", key="set_up", icon=":material/draw:", on_click=set_up,
                  help="Drag what is in the world, and paint its map, before the episode begins.")  # fmt: skip
        if st.query_params.get(SETUP):
            st.button("As laid out", key="as_laid_out", icon=":material/close:", on_click=forget, args=((SETUP,),),
                      help="Forget what was set up by hand.")  # fmt: skip


# -- source ------------------------------------------------------------------------------------------------------------


def _source() -> str:
    """The name of a scenario's file, or another source of a scenario."""
    options = [OWN, *scenario_files(), UPLOADED]
    if lesson := _lesson():
        options.insert(1, lesson)
    among("scenario", options, "scenario")
    return st.selectbox("Scenario", options, key="scenario", bind="query-params", on_change=forget,
                        help="One of the files in scenarios/, one of yours, or your own choices below.")  # fmt: skip


def _lesson() -> str | None:
    """The arm of a lesson that the address or the choice names, if there is one."""
    for given in (st.query_params.get("scenario"), st.session_state.get("scenario")):
        if given and given.startswith(PREFIX):
            with suppress(UsageError):
                named(given)
                return given
    return None


def _opened(source: str) -> tuple[dict[str, Any], Origin]:
    """An existing scenario as a table, and its origin."""
    if source.startswith(PREFIX):
        scenario = named(source)
    elif source == UPLOADED:
        found = upload(forget)
        if found is None:
            raise UsageError("no file yet: choose one in the sidebar")
        scenario = found[0]
    else:
        scenario = opened(scenario_files()[source])
    st.caption(plain(scenario.title or source))
    with st.expander("As a file", icon=":material/description:"):
        st.code(as_toml(scenario.as_dict())[:20_000], language="toml")
    return scenario.as_dict(), scenario.origin.shown()


# -- perturbations and seed --------------------------------------------------------------------------------------------

DOSE = "severity."


@cache
def _acting(world: World) -> tuple[Perturbation, ...]:
    return make(world.name).perturbations


def _doses(world: World, team: bool, own: dict[str, float]) -> dict[str, float]:
    """The severities of perturbations; severities of 0 are omitted."""
    shown = list(_acting(world)) + [each for each in GENERIC if team and each.name in OF_MESSAGES]
    severities = {name: severity for name, severity in own.items() if name not in {each.name for each in shown}}
    with st.expander("Perturbations", icon=":material/bolt:"):
        st.caption("How badly things go wrong: 0 is a normal day, 1 the worst.")
        for each in dict.fromkeys(shown):
            label = each.name.replace("_", " ").capitalize()
            summary = each.summary[:1].upper() + each.summary[1:]
            key, given = f"{DOSE}{each.name}", float(own.get(each.name, 0.0))
            within(key, 0, 1, float)
            severity = st.slider(label, 0.0, 1.0, **usual(key, given, value=given), step=0.05, key=key,
                                 help=f"{summary}.", bind="query-params")  # fmt: skip
            if severity:
                severities[each.name] = severity
    return severities


def _seed(own: int) -> int:
    text = st.text_input(
        "Seed", **usual("seed", str(own), value=str(own)), key="seed", bind="query-params",
        help="Every draw of chance follows from it: the same seed gives the same episode.",
    )  # fmt: skip
    found = wording.seed(text or "")
    if found is None:
        raise UsageError(f"seed: '{(text or '').strip()[:40]}' is not a whole number in 0..2**64-1")
    return found
