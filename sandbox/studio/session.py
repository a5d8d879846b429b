"""The state of one browser tab: its runners, and data passed between pages. Streamlit drops it with the tab."""

from functools import cache, wraps
from typing import Any

import streamlit as st
from streamlit import config
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from sandbox.studio.backend.runner import Runner

COMPOSED = "compose"  # a scenario that another page sends to Watch
WATCHED = "watched"  # the scenario being watched


def prepare() -> None:
    """Settings of the whole server.

    Streamlit collects garbage after every rerun, which stops all threads for a tenth of a second. The runner does it
    instead, when it releases a model.
    """
    config.set_option("runner.postScriptGC", False)  # ``st.set_option`` does not accept it
    _send_all()


@cache
def _send_all() -> None:
    """Send everything that a run has drawn, even if a click starts another run before.

    If the other run is of a fragment, Streamlit 1.67 drops the unsent part of the fragment, but tells the browser
    that the run is complete. The browser then removes the missing elements with their choices, and may show a blank
    page.
    """
    clear = ForwardMsgQueue.clear

    @wraps(clear)
    def kept(self, retain_lifecycle_msgs=False, fragment_ids_this_run=None):
        if fragment_ids_this_run is None:
            clear(self, retain_lifecycle_msgs)
        self._delta_index_map = {}  # so that later elements do not replace earlier ones

    ForwardMsgQueue.clear = kept


def hand_over(fragment: str, news: Any) -> None:
    """Pass a page's latest data to one of its fragments.

    Not as an argument: an overtaken rerun could leave old data there, which would replace newer data. Here such a rerun
    ends.
    """
    st.session_state[f"news.{fragment}"] = news


def handed_over(fragment: str) -> Any:
    """The data that the page has passed, once; None if the fragment runs by itself."""
    return st.session_state.pop(f"news.{fragment}", None)


def runner(page: str) -> Runner:
    """The runner of a page; it continues while another page is open."""
    key = f"runner.{page}"
    if key not in st.session_state:
        st.session_state[key] = Runner()
    return st.session_state[key]
