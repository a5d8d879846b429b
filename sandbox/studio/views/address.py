"""The choices in a page's address: what cannot be followed is said, and nothing of an earlier choice stays in it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from sandbox.core.errors import unknown
from sandbox.studio.views.shared import plain

_FORGOTTEN = "address.forgotten"  # key of what is reset in this run
_WRONG = "address.wrong"  # key of what was said
SETUP, SETTING = "setup", "setting"  # keys: what was set up by hand, whether it is being set up
CHOICES = (  # keys of choices, or what they begin with
    "world", "layout", "team", "policy", "horizon", "futures", "model", "told", "protocol", "network", "seed",
    "severity", SETUP,
)  # fmt: skip


def among(key: str, known: Sequence[str], kind: str) -> bool:
    """Whether the address names one of the ``known``. If it names another one, that is noted, and said by ``wrong``.

    Streamlit would drop the name without a word.
    """
    given = st.query_params.get(key)
    if given is None or given in known:
        return given is not None
    note(str(unknown(kind, given, known)))
    return False


def within(key: str, least: float, most: float, kind: Callable[[str], float] = int) -> bool:
    """The same for a number."""
    given = st.query_params.get(key)
    try:
        if given is None or least <= kind(given[:40]) <= most:
            return given is not None
    except ValueError:
        pass
    note(f"{key} '{given[:40]}'; expected a number in {least:g}..{most:g}")
    return False


def note(line: str) -> None:
    """Note what of the address cannot be followed, for ``wrong``."""
    st.session_state.setdefault(_WRONG, {})[line] = True


def wrong() -> None:
    """Say what of the address could not be followed, until something else is chosen."""
    for line in st.session_state.get(_WRONG, ()):
        told = f"The address names what there is not, so the usual one is shown: {line}"
        st.warning(plain(told, 400), icon=":material/link_off:")


def forget(keys: Iterable[str] = CHOICES) -> None:
    """Reset choices in the run that follows: a callback of a choice on which they depend."""
    keys = tuple(keys)
    st.session_state[_FORGOTTEN] = keys
    _leave_out(keys)
    st.session_state.pop(_WRONG, None)


def _leave_out(keys: tuple[str, ...]) -> None:
    """Take choices out of the address.

    Streamlit 1.67 gives a bound widget whose limits have changed the value from the address, even if the script has
    set another one: the size of a team stayed when the world changed. ``tests/test_pins.py`` holds what this uses.
    """
    context = get_script_run_ctx()
    fields = parse_qsl(context.query_string, keep_blank_values=True)
    gone = {key for key, _ in fields if _of(key, keys)}
    if not gone:
        return
    with context.session_state.query_params() as address:
        address.populate_from_query_string(context.query_string)  # the server may not know all that the browser shows
        address.set_initial_query_params(urlencode([(key, value) for key, value in fields if key not in gone]))
        for key in gone:
            address.remove_param(key)


def _of(key: str, keys: Iterable[str]) -> bool:
    return key.partition(".")[0] in keys


def usual(key: str, value: Any, /, **default: Any) -> dict[str, Any]:
    """The ``default`` of a bound widget; in a run after ``forget``, it gets its usual value instead.

    A bound widget cannot be reset in another way: Streamlit does not let go of its part of the address.
    """
    if not _of(key, st.session_state.get(_FORGOTTEN, ())):
        return default
    st.session_state[key] = value
    return {}


def chosen() -> None:
    """All choices are drawn."""
    st.session_state.pop(_FORGOTTEN, None)
