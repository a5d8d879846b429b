"""Replay: the table of all runs; any of them, or any trial of a batch, tick by tick; two side by side, in step."""

import streamlit as st

from sandbox.core.errors import SandboxError
from sandbox.studio.backend import beside
from sandbox.studio.backend.episode_source import order_of
from sandbox.studio.session import runner
from sandbox.studio.views.address import wrong
from sandbox.studio.views.player import asked_tick, player
from sandbox.studio.views.run_picker import chosen, from_address
from sandbox.studio.views.runs import runs
from sandbox.studio.views.shared import plain, turn

PANELS = (beside.EVENTS, beside.TRANSCRIPT, beside.CHARTS, beside.AGENT, beside.TEAM, beside.RECORD, beside.SOLID)


def page() -> None:
    """The page that Streamlit runs at every rerun."""
    if not from_address("run"):
        runs()
        return
    show = runner("replay")
    with st.sidebar:
        st.markdown("### Replay", help="What was recorded, tick by tick, from its own record.")
        turn("All runs", "all-runs", "The table of all runs", {}, icon=":material/arrow_back:")
        picked = [chosen("run", "Run"), chosen("beside", "Beside it")]
    if picked[0] is None:
        st.rerun()  # with the table
    try:
        order = tuple(order_of(*one) for one in picked if one)
    except SandboxError as error:
        st.error(plain(str(error), 600), icon=":material/error:")
        return
    if order != show.order:
        show.load(*order, tick=0 if show.order else asked_tick())
    wrong()
    player(show, PANELS)
