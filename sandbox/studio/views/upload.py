"""The upload of a scenario. An uploaded scenario reads and executes nothing of this machine."""

from collections.abc import Callable

import streamlit as st

from sandbox.core.errors import UsageError
from sandbox.core.files import read_toml
from sandbox.scenario import Scenario, capabilities, load
from sandbox.scenario.load import overridden

LARGEST = 4  # MB


def upload(on_change: Callable[[], None] | None = None) -> tuple[Scenario, str] | None:
    """Draw the field; a scenario and its file's name, None if there is none yet. Raises UsageError."""
    given = st.file_uploader("Scenario (TOML)", ["toml"], key="upload", max_upload_size=LARGEST, on_change=on_change,
                             help="As for `sandbox run`; it must contain its maps and programs")  # fmt: skip
    return (uploaded(given.name, given.getvalue()), given.name) if given else None


def uploaded(name: str, content: bytes) -> Scenario:
    """The scenario in a file; raises UsageError for an invalid file, or one that needs capabilities."""
    name = name[:80]
    if len(content) > LARGEST * 1_000_000:
        raise UsageError(f"{name}: {len(content):,} bytes; expected {LARGEST} MB at most")
    try:
        scenario = load(read_toml(content.decode("utf-8-sig")), origin=capabilities.upload(name))
        for _ in overridden(scenario):
            pass  # each condition is checked when it is made
        return scenario
    except RecursionError:
        raise UsageError(f"{name}: tables nested too deeply for a scenario") from None
    except ValueError as error:  # also raised for a number with 5,000 digits
        raise UsageError(f"{name}: not TOML: {error}") from None
