"""``[sweep]``: the conditions of a batch.

[sweep]                                      # crossed: every value with every other
"world.layout" = ["tiny", "small"]
"perturb.sensor_noise" = { from = 0.0, to = 1.0, step = 0.25 }

[sweep.zip]                                  # zipped: these keys change together
"agents.0.count" = [2, 4, 8]
"world.deliveries" = [5, 10, 20]

[sweep.one_at_a_time]                        # the unchanged scenario, then each of these values alone
"perturb.action_failure" = [0.5, 1.0]
"perturb.message_loss" = [0.5, 1.0]
"""

from collections.abc import Iterable
from itertools import combinations, product
from math import prod
from typing import Any

from sandbox.core.errors import UsageError, shown, unknown

ZIP, ONE = "zip", "one_at_a_time"
RANGE = ("from", "to", "step")
KEYS = 100  # keys that a sweep may change; each condition has a value for each of them
MOST = 10_000  # conditions; each is a scenario, which takes memory, and milliseconds to check


def conditions(sweep: dict[str, Any]) -> list[dict[str, Any]]:
    """The overrides of each condition, in the order of the file, the last key changing fastest; [{}] without a sweep.

    Raises UsageError for a value that is neither list nor range, an empty one, zipped lists of different lengths, and
    more than ``KEYS`` keys or ``MOST`` conditions, before any condition is made.
    """
    crossed = {key: _values(key, given) for key, given in sweep.items() if key not in (ZIP, ONE)}
    zipped, single = _lists(sweep, ZIP), _lists(sweep, ONE)
    together = _length(zipped)
    alone = 1 + sum(map(len, single.values())) if single else 1
    for first, second in combinations((("sweep", crossed), ("sweep.zip", zipped), ("sweep.one_at_a_time", single)), 2):
        if both := [key for key in first[1] if key in second[1]]:
            raise UsageError(f"{both[0]}: swept in [{first[0]}] and in [{second[0]}], expected one of them")
    _check_count(prod(map(len, crossed.values())) * together * alone, "sweep", "conditions", MOST)
    _check_count(len(crossed) + len(zipped) + len(single), "sweep", "keys", KEYS)
    axes = [[{key: value} for value in values] for key, values in crossed.items()]
    if zipped:
        axes.append([dict(zip(zipped, values, strict=True)) for values in zip(*zipped.values(), strict=True)])
    if single:
        axes.append([{}, *({key: value} for key, values in single.items() for value in values)])
    return [{key: value for part in parts for key, value in part.items()} for parts in product(*axes)]


def check_free(sweep: dict[str, Any], changes: Iterable[str]) -> None:
    """Raise UsageError if a dotted key of ``changes`` is swept, or is above or below a swept key.

    The sweep would silently overwrite the value.
    """
    tables = {"sweep": {key: given for key, given in sweep.items() if key not in (ZIP, ONE)}}
    tables |= {f"sweep.{name}": sweep.get(name, {}) for name in (ZIP, ONE)}
    for key in changes:
        for where, table in tables.items():
            for swept in table if isinstance(table, dict) else ():
                if f"{key}.".startswith(f"{swept}.") or f"{swept}.".startswith(f"{key}."):
                    raise UsageError(f"--set {key}: [{where}] sweeps {swept}; expected a key that is not swept")


def _lists(sweep: dict[str, Any], name: str) -> dict[str, list]:
    """The lists of a table below ``[sweep]``, by key."""
    table = sweep.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"sweep.{name}: {shown(table)}, expected a table of lists")
    return {key: _values(f"{name}.{key}", given) for key, given in table.items()}


def _length(lists: dict[str, list]) -> int:
    """The common length of the zipped lists; 1 without lists."""
    lengths = {key: len(values) for key, values in lists.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{key} has {n}" for key, n in lengths.items())
        raise UsageError(f"sweep.zip: lists of one length expected; {told}")
    return next(iter(lengths.values()), 1)


def _check_count(count: float, where: str, what: str, most: int) -> None:
    if not count <= most:
        raise UsageError(f"{where}: {min(count, 1e15):,.0f} {what}, expected {most:,} at most")


def steps(first: float, last: float, step: float, where: str) -> list:
    """The numbers from ``first`` to ``last``, both included; integers if all are whole; at most ``MOST``."""
    count = (last - first) / step + 1e-9
    _check_count(count + 1, where, f"values from {first} to {last} by {step}", MOST)
    count = int(count) + 1
    return [first + k * step if isinstance(step, int) else round(first + k * step, 12) for k in range(count)]


def _values(key: str, given: Any) -> list:
    """The values of a list, or of a range including both ends."""
    if isinstance(given, dict):
        for name in given:
            if name not in RANGE:
                raise unknown("key", name, RANGE, f"sweep.{key}")
        if len(given) < len(RANGE) or not all(type(value) in (int, float) for value in given.values()):
            raise UsageError(f"sweep.{key}: {shown(given)}, expected numbers for from, to and step")
        first, last, step = (given[name] for name in RANGE)
        if step <= 0 or last < first:
            raise UsageError(f"sweep.{key}: from {first} to {last} by {step} is empty")
        return steps(first, last, step, f"sweep.{key}")
    if not isinstance(given, list) or not given:
        raise UsageError(f"sweep.{key}: {shown(given)}, expected a list of values, or {{ from, to, step }}")
    return given
