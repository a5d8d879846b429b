"""The page that ``benchmarks.studio`` measures: the studio's player, on the scenario in the file SANDBOX_SCENARIO."""

import json
import os
from pathlib import Path

import streamlit as st

from sandbox.studio.backend.episode_source import Live
from sandbox.studio.pages.watch import PANELS
from sandbox.studio.session import prepare, runner
from sandbox.studio.views.player import SPEEDS, player

prepare()
st.set_page_config(layout="wide")
scenario = json.loads(Path(os.environ["SANDBOX_SCENARIO"]).read_text())
show = runner("watch")
if not show.order:
    show.load(Live(scenario, 1))
st.session_state["speed"] = SPEEDS[-1]
player(show, PANELS)
