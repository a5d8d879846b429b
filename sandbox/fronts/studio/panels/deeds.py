"""Things that a page has done before it is drawn again, as callbacks; why one was not done is kept for the page."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from sandbox.core.errors import UsageError
from sandbox.fronts.studio.panels.plain import plain

PROBLEM = "intervene_problem"  # why the last thing was not done, in the state of a session


def do(deed: Callable[..., None], *given: Any) -> None:
    try:
        deed(*given)
    except UsageError as error:
        st.session_state[PROBLEM] = str(error)


def button(label: str, key: str, words: str, deed: Callable[..., None], *given: Any, **look: Any) -> None:
    st.button(plain(label, 40), key=key, help=plain(words, 300), on_click=do, args=(deed, *given), **look)
