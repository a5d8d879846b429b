"""What cannot be shown is told in a line: a file that was damaged may break whatever reads it, anywhere."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from sandbox.core.errors import SandboxError
from sandbox.fronts.studio.panels.plain import plain

LONG = 400  # letters


@contextmanager
def told(what: str) -> Iterator[None]:
    """Put an error of what is drawn below in words; one that nobody thought of goes to the server's log as well."""
    try:
        yield
    except SandboxError as error:
        _show(str(error))
    except Exception as error:
        logging.getLogger(__name__).exception("%s cannot be shown", what)
        _show(f"{what}: it cannot be shown, it may be damaged ({type(error).__name__}: {error})")


def _show(words: str) -> None:
    st.error(plain(words, LONG), icon=":material/error:")
