"""A scenario from a browser. It stands for itself: nothing of this machine is read or executed because it says so."""

import os
from collections.abc import Iterator
from typing import Any

import streamlit as st

from sandbox.core.errors import UsageError
from sandbox.core.toml import read_toml
from sandbox.scenario import Scenario, load

LARGEST = 4  # MB


def upload() -> tuple[Scenario, str] | None:
    """Draw the field; a scenario and its file's name, None where there is none yet. Raises UsageError."""
    given = st.file_uploader("Scenario (TOML)", ["toml"], key="upload", max_upload_size=LARGEST,
                             help="As `sandbox run` takes it; a map or a program must stand in it")  # fmt: skip
    return (uploaded(given.name, given.getvalue()), given.name) if given else None


def uploaded(name: str, content: bytes) -> Scenario:
    """The scenario that a file holds; raises UsageError where it holds none, or wants more than itself."""
    name = name[:80]
    if len(content) > LARGEST * 1_000_000:
        raise UsageError(f"{name}: {len(content):,} bytes; expected {LARGEST} MB at most")
    try:
        table = read_toml(content.decode("utf-8-sig"))
        for key, what in _wanted(table):
            raise UsageError(f"{name}: {key}: '{what[:80]}' is of this machine; an uploaded scenario cannot use it")
        return load(table)
    except RecursionError:
        raise UsageError(f"{name}: tables within tables within tables, deeper than any scenario") from None
    except ValueError as error:  # also that of a number with 5,000 digits
        raise UsageError(f"{name}: not TOML: {error}") from None


def _wanted(table: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Files, folders and functions of this machine that a scenario names, with their keys."""
    for k, group in _groups(table):
        for name in _in(group, "tools"):
            if ":" in name:
                yield f"agents[{k}].tools", name
    for key, what in _paths(table):
        if isinstance(what, str) and os.path.exists(os.path.expanduser(what)):
            yield key, what


def _paths(table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What may be the name of a file or folder."""
    yield "world.layout", _in(table, "world").get("layout")
    yield "team.network.file", _in(_in(table, "team"), "network").get("file")
    for k, group in _groups(table):
        yield f"agents[{k}].program", group.get("program")
        yield f"agents[{k}].llm.model", str(_in(group, "llm").get("model")).removeprefix("scripted:")
        yield f"agents[{k}].tools.retrieval.folder", _in(_in(group, "tools"), "retrieval").get("folder")


def _groups(table: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    found = table.get("agents")
    return [pair for pair in enumerate(found if isinstance(found, list) else []) if isinstance(pair[1], dict)]


def _in(table: dict[str, Any], key: str) -> dict[str, Any]:
    """The table below a key; an empty one where there is none."""
    found = table.get(key)
    return found if isinstance(found, dict) else {}
