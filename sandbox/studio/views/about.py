"""What a world is: its rules, what its agents can do, and things to try, from the world itself."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

import streamlit as st

from sandbox.core.setup import Try
from sandbox.core.world import World
from sandbox.engine.registry import find
from sandbox.studio.views.scenario_builder import WORDS
from sandbox.studio.views.scenario_picker import set_up
from sandbox.studio.views.shared import plain

LONG = 1_000  # letters


def about(name: str) -> None:
    """Draw it."""
    world = find(name)
    st.markdown(f"**{plain(_sentence(world.summary), LONG)}** {plain(world.rules, LONG)}")
    if world.tries:
        st.markdown("**Things to try**\n" + "\n".join(f"- {_link(world, each)}" for each in world.tries))
    st.button("Set up by hand", key="set_up_about", icon=":material/draw:", on_click=set_up,
              help="Drag what is in the world, and paint its map, before the episode begins.")  # fmt: skip
    _list("What an agent can do", "pan_tool", _verbs(world))
    _list("Who decides", "smart_toy", {name: WORDS.get(name, "") for name in world.policies})
    _list("What can go wrong", "bolt", {each.name: _sentence(each.summary) for each in world.perturbations})
    _list("What you can do to it", "touch_app", {each.name: _sentence(each.summary) for each in world.interventions})
    if world.source:
        st.caption(f"Rules of record: {plain(world.source, LONG)}.")


def _link(world: World, each: Try) -> str:
    """A link that opens the studio with these choices; in a tab of its own, so that nothing is lost here."""
    return f"[{plain(each.what, LONG)}](./?{urlencode({'world': world.name, **each.choices})})"


def _verbs(world: World) -> dict[str, str]:
    return {tool["name"]: tool["description"] for tool in world.tools(None)}


def _list(title: str, icon: str, entries: Mapping[str, str]) -> None:
    if entries:
        with st.expander(title, icon=f":material/{icon}:"):
            st.markdown("\n".join(_items(entries.items())))


def _items(entries: Iterable[tuple[str, str]]) -> Iterable[str]:
    return (f"- **{plain(name.replace('_', ' '))}**: {plain(words, LONG)}" for name, words in entries)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
