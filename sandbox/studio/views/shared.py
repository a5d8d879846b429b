"""Callbacks that run before a page is drawn again; the page then shows why one failed."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import streamlit as st

from sandbox.core.errors import SandboxError, UsageError

# -- plain: other people's texts as labels and captions of a page, without any markup

MOST = 120  # letters
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")  # characters that can be escaped in Markdown


def plain(text: object, most: int = MOST) -> str:
    """One line of a text, at most ``most`` letters, in which Markdown, HTML, links and formulas are escaped."""
    line = " ".join(str(text).split())
    return _MARKS.sub(r"\\\1", line if len(line) <= most else line[: most - 1] + "…")


# -- told: errors are shown as one line; a damaged file may cause them anywhere

LONG = 400  # letters


@contextmanager
def told(what: str) -> Iterator[None]:
    """Show an error raised inside as one line; an unexpected one goes to the server's log as well."""
    try:
        yield
    except SandboxError as error:
        _show(str(error))
    except Exception as error:
        logging.getLogger(__name__).exception("%s cannot be shown", what)
        _show(f"{what}: it cannot be shown, it may be damaged ({type(error).__name__}: {error})")


def _show(words: str) -> None:
    st.error(plain(words, LONG), icon=":material/error:")


# -- link, turn: the ways to another page, and to another view of the same one

PATHS = {
    "Watch": "",
    "Runs": "replay",
    "Batch": "batch",
    "Dream": "dream",
    "Lessons": "lessons",
}  # addresses of pages, by their titles


def link(page: str, label: str, words: str, **look: Any) -> None:
    """A link to another page of the studio; ``look`` may contain ``query_params``."""
    st.page_link(_page(page), label=label, help=words, **look)


def go(page: str, query: Mapping[str, str]) -> None:
    """Turn to another page of the studio, at the view that the address's ``query`` names."""
    st.switch_page(_page(page), query_params=query)


def _page(name: str) -> Any:
    return st.Page(_placeholder, title=name, **({"url_path": PATHS[name]} if PATHS[name] else {"default": True}))


def _placeholder() -> None:
    """The page at a link's address is another one; Streamlit finds it by the address."""


TURNED = "turned"  # key in the session state: that of a button that was pressed


def turn(label: str, key: str, words: str, query: Mapping[str, str], **look: Any) -> None:
    """A button to another view of the same page, which the address's ``query`` names. The browser's Back returns.

    The callback only notes the click, since after a callback inside a fragment only the fragment runs. What the button
    returns would not do either: it may be true a second time, when Back shows the button again. Nor would a link: a
    link to the same page leaves the address as it is (Streamlit 1.67).
    """
    st.button(label, key=key, help=words, on_click=st.session_state.update, args=({TURNED: key},), **look)
    if st.session_state.get(TURNED) == key:
        del st.session_state[TURNED]
        st.query_params.from_dict(query)
        st.rerun()


# -- shared

PROBLEM = "intervene_problem"  # key in the session state: why the last command failed


def do(deed: Callable[..., None], *given: Any) -> None:
    try:
        deed(*given)
    except UsageError as error:
        st.session_state[PROBLEM] = str(error)


def button(label: str, key: str, words: str, deed: Callable[..., None], *given: Any, **look: Any) -> None:
    st.button(plain(label, 40), key=key, help=plain(words, 300), on_click=do, args=(deed, *given), **look)


def download(label: str, made: Callable[[], str | bytes], name: str, mime: str, words: str, **look: Any) -> None:
    """A button that saves a file, which is made when it is pressed.

    Streamlit would keep a file that is made before for one run of the page only, and the browser asks for it later.
    """
    look = {"icon": ":material/download:", **look}
    st.download_button(label, made, name, mime, help=words, on_click="ignore", **look)
