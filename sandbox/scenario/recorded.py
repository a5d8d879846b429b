"""The scenario of a record: complete without files, possibly of another version or author."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sandbox.core.errors import RecordError, first_problem
from sandbox.record.events import OTHER_VERSION
from sandbox.record.store import one_line
from sandbox.scenario.capabilities import Origin, check_files
from sandbox.scenario.schema import Scenario


def read_scenario(scenario: Mapping[str, Any], origin: Origin) -> Scenario:
    """The scenario of a record; raises RecordError if this version cannot read it, UsageError if it names a file.

    The capabilities of its agents are checked only when somebody resumes it.
    """
    try:
        found = Scenario.model_validate(scenario)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        other = first["type"] == "extra_forbidden"
        told = f"has the key '{'.'.join(map(str, first['loc']))}', {OTHER_VERSION}" if other else first_problem(error)
        raise RecordError(f"{origin.name}: its scenario {one_line(told)}") from None
    check_files(found, origin)
    return found.coming_from(origin)
