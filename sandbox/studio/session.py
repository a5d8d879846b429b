"""The state of one browser tab: its runners, and data passed between pages. Streamlit drops it with the tab."""

import secrets
from functools import cache, wraps
from typing import Any
from weakref import WeakValueDictionary

import streamlit as st
from streamlit import config
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.state.safe_session_state import SafeSessionState

from sandbox.studio.backend.runner import Runner

WATCHED = "watched"  # the scenario being watched


def prepare() -> None:
    """Settings of the whole server.

    Streamlit collects garbage after every rerun, which stops all threads for a tenth of a second. The runner does it
    instead, when it releases a model.
    """
    config.set_option("runner.postScriptGC", False)  # ``st.set_option`` does not accept it
    _send_all()
    _take_every_press()


@cache
def _send_all() -> None:
    """Send everything that a run has drawn, even if a click starts another run before.

    If the other run is of a fragment, Streamlit 1.67 drops the unsent part of the fragment, but tells the browser
    that the run is complete. The browser then removes the missing elements with their choices, and may show a blank
    page. (github.com/streamlit/streamlit: pull request 9381 began to clear so, issue 9188 has what comes of it.)

    Streamlit offers no other way: only a rerun brings data to a component, and only a fragment reruns by itself.
    ``tests/test_pins.py`` fails once it is not needed any more.
    """
    clear = ForwardMsgQueue.clear

    @wraps(clear)
    def kept(self, retain_lifecycle_msgs=False, fragment_ids_this_run=None):
        if fragment_ids_this_run is None:
            clear(self, retain_lifecycle_msgs)
        self._delta_index_map = {}  # so that later elements do not replace earlier ones

    ForwardMsgQueue.clear = kept


@cache
def _take_every_press() -> None:
    """Take what was pressed, and call what it calls, even if another run has been asked for in the meantime.

    Streamlit 1.67 gives way to the other run first, before it has noted the press or at the callback's first look into
    ``st.session_state``. The browser tells of a press once, so it is lost then: 16 of 120 presses at a tenth of a
    second's distance on a page that reruns by itself.
    """
    taken = SafeSessionState.on_script_will_rerun

    @wraps(taken)
    def whole(self, *states, **options):
        give_way = self._yield_callback
        object.__setattr__(self, "_yield_callback", lambda: None)  # its own ``__setattr__`` sets an item
        try:
            taken(self, *states, **options)
        finally:
            object.__setattr__(self, "_yield_callback", give_way)

    SafeSessionState.on_script_will_rerun = whole


def hand_over(fragment: str, news: Any) -> None:
    """Pass a page's latest data to one of its fragments.

    Not as an argument: an overtaken rerun could leave old data there, which would replace newer data. Here such a rerun
    ends.
    """
    st.session_state[f"news.{fragment}"] = news


def handed_over(fragment: str) -> Any:
    """The data that the page has passed, once; None if the fragment runs by itself."""
    return st.session_state.pop(f"news.{fragment}", None)


# Runners by their names, which addresses contain: a page that is loaded again gets its run back.
_runners: WeakValueDictionary[str, Runner] = WeakValueDictionary()
NAME = "tab"  # key of the address
BROWSER = "sandbox_browser"  # cookie that ``components/canvas`` sets


def runner(page: str) -> Runner:
    """The runner of a page; it continues while another page is open.

    A page that is loaded again is a new session. It takes over the runner that its address names, if the same browser
    has shown it: who is only sent the address gets a runner of their own, and the old session, if a tab still shows
    it, gets another one.
    """
    key, session = f"runner.{page}", st.session_state.setdefault("session", object())
    show = st.session_state.get(key)
    if show is None or show.owner is not session:
        show = (_reloaded(page) if show is None else None) or Runner(name=f"{page}-{secrets.token_urlsafe(9)}")
        show.owner = session
        _runners[show.name] = st.session_state[key] = show
    return show


def _reloaded(page: str) -> Runner | None:
    """The runner that the address names, if this browser has shown it."""
    name = st.query_params.get(NAME, "")
    show, browser = _runners.get(name), st.context.cookies.get(BROWSER)
    if show is None or not browser or show.browser != browser or not name.startswith(f"{page}-"):
        return None
    show.show_again()
    return show
