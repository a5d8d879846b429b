"""Watch: pick or compose a scenario, set it up by hand, see the team at work, look into its agents, and intervene."""

import streamlit as st

from sandbox.core.errors import UsageError
from sandbox.studio.backend import beside
from sandbox.studio.backend.episode_source import Live
from sandbox.studio.session import WATCHED, runner
from sandbox.studio.views.address import SETTING, wrong
from sandbox.studio.views.player import asked_tick, player
from sandbox.studio.views.scenario_picker import choose
from sandbox.studio.views.setup import setup
from sandbox.studio.views.shared import told

PANELS = (
    beside.CHARTS, beside.EVENTS, beside.AGENT, beside.TEAM, beside.INTERVENE, beside.RECORD, beside.SOLID,
    beside.ABOUT,
)  # fmt: skip


def page() -> None:
    """The page that Streamlit runs at every rerun."""
    show, problem, choice = runner("watch"), None, None
    try:
        choice = choose()
    except UsageError as error:
        problem = str(error)
        show.pause()
    if choice:
        st.session_state[WATCHED] = choice.scenario
    if choice and SETTING in st.query_params:
        show.pause()
        with told("the set-up"):
            setup(choice)
        return
    if choice and (order := Live(choice.scenario, choice.seed)) not in show.order:
        show.load(order, tick=0 if show.order else asked_tick())
    wrong()
    player(show, PANELS, problem)
