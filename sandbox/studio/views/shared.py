"""Callbacks that run before a page is drawn again; the page then shows why one failed."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from sandbox.core.errors import SandboxError, UsageError

# -- plain: Words that others wrote, as labels and captions of a page: only words, whatever they hold.

MOST = 120  # letters
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")  # those that Markdown lets one escape


def plain(text: object, most: int = MOST) -> str:
    """One line of a text, of ``most`` letters, in which nothing is Markdown, HTML, a link or a formula."""
    line = " ".join(str(text).split())
    return _MARKS.sub(r"\\\1", line if len(line) <= most else line[: most - 1] + "…")


# -- told: What cannot be shown is told in a line: a file that was damaged may break whatever reads it, anywhere.

LONG = 400  # letters


@contextmanager
def told(what: str) -> Iterator[None]:
    """Show an error of what is drawn below in words; an unexpected one goes to the server's log as well."""
    try:
        yield
    except SandboxError as error:
        _show(str(error))
    except Exception as error:
        logging.getLogger(__name__).exception("%s cannot be shown", what)
        _show(f"{what}: it cannot be shown, it may be damaged ({type(error).__name__}: {error})")


def _show(words: str) -> None:
    st.error(plain(words, LONG), icon=":material/error:")


# -- shared

PROBLEM = "intervene_problem"  # why the last thing was not done, in the state of a session


def do(deed: Callable[..., None], *given: Any) -> None:
    try:
        deed(*given)
    except UsageError as error:
        st.session_state[PROBLEM] = str(error)


def button(label: str, key: str, words: str, deed: Callable[..., None], *given: Any, **look: Any) -> None:
    st.button(plain(label, 40), key=key, help=plain(words, 300), on_click=do, args=(deed, *given), **look)
