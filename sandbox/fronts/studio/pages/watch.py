"""Watch: pick or compose a scenario, see the team at work, look into its agents, and intervene."""

import streamlit as st

from sandbox.core.errors import UsageError
from sandbox.fronts.studio.panels.choices import choose
from sandbox.fronts.studio.panels.player import player
from sandbox.fronts.studio.session import WATCHED, runner
from sandbox.fronts.studio.show import scene
from sandbox.fronts.studio.show.orders import Live

PANELS = (scene.CHARTS, scene.EVENTS, scene.AGENT, scene.TEAM, scene.INTERVENE, scene.RECORD)


def page() -> None:
    """What Streamlit runs at every rerun."""
    show, problem, choice = runner("watch"), None, None
    try:
        choice = choose()
    except UsageError as error:
        problem = str(error)
        show.pause()
    if choice:
        st.session_state[WATCHED] = choice.scenario
    if choice and (order := Live(choice.scenario, choice.seed)) not in show.order:
        show.load(order)
    player(show, PANELS, problem)
