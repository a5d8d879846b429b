"""What one browser tab has: its runners, and what pages hand to one another. Streamlit forgets it with the tab."""

from typing import Any

import streamlit as st
from streamlit import config

from sandbox.fronts.studio.show.runner import Runner

COMPOSED = "compose"  # a scenario that another page wants to be watched
WATCHED = "watched"  # the scenario that is watched


def prepare() -> None:
    """What is so in the whole server. At the end of every rerun, Streamlit would go through all objects that there are,
    a tenth of a second in which no thread gets on; the runner does so where it lets go of a model."""
    config.set_option("runner.postScriptGC", False)  # not one of those that ``st.set_option`` takes


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
