"""The state of one browser tab: its runners, and what pages pass to one another. Streamlit drops it with the tab."""

from functools import cache, wraps
from typing import Any

import streamlit as st
from streamlit import config
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from sandbox.studio.backend.runner import Runner

COMPOSED = "compose"  # a scenario that another page wants to be watched
WATCHED = "watched"  # the scenario that is watched


def prepare() -> None:
    """What is so in the whole server. At the end of every rerun, Streamlit would go through all objects that there are,
    a tenth of a second in which no thread gets on; the runner does so where it lets go of a model."""
    config.set_option("runner.postScriptGC", False)  # not one of those that ``st.set_option`` takes
    _send_all()


@cache
def _send_all() -> None:
    """What a run has drawn is sent, also if a click has another begin before it is.

    Where that one is of a fragment, Streamlit 1.67 drops what is not sent of the fragment, but tells the browser that
    the run has ended: it takes the rest for gone, forgets what was chosen in it, and may be left with a blank page.
    """
    clear = ForwardMsgQueue.clear

    @wraps(clear)
    def kept(self, retain_lifecycle_msgs=False, fragment_ids_this_run=None):
        if fragment_ids_this_run is None:
            clear(self, retain_lifecycle_msgs)
        self._delta_index_map = {}  # nor does what is drawn next take the place of what was drawn before it

    ForwardMsgQueue.clear = kept


def hand_over(fragment: str, news: Any) -> None:
    """Let a fragment draw what its page has just seen.

    Not as an argument: a rerun that is overtaken could leave it behind, to be drawn over newer news. It ends here.
    """
    st.session_state[f"news.{fragment}"] = news


def handed_over(fragment: str) -> Any:
    """What the page has seen, which is used up then; None where the fragment is drawn by itself."""
    return st.session_state.pop(f"news.{fragment}", None)


def runner(page: str) -> Runner:
    """The runner of a page; what it shows stays while another page is open."""
    key = f"runner.{page}"
    if key not in st.session_state:
        st.session_state[key] = Runner()
    return st.session_state[key]
