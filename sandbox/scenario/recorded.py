"""The scenario of a record: it stands for itself, and may have been written by another version."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sandbox.core.errors import RecordError
from sandbox.record.events import OTHER_VERSION
from sandbox.record.store import one_line
from sandbox.scenario.schema import Scenario


def read_scenario(scenario: Mapping[str, Any], where: str | Path) -> Scenario:
    """The scenario of the record in a folder; raises RecordError where this version cannot read it."""
    try:
        return Scenario.model_validate(scenario)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        told = (
            f"has the key '{key}', {OTHER_VERSION}" if first["type"] == "extra_forbidden" else f"{key}: {first['msg']}"
        )
        raise RecordError(f"{where}: its scenario {one_line(told)}") from None
