"""What two scenarios differ in, as names for them: the settings of each that the other does not have."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.scenario import Scenario

MOST = 3  # settings that are named
LONGEST = 40  # letters of a value
OF_A_BATCH = frozenset({"title", "seed", "trials", "sweep"})  # these do not act on one episode


def names(scenarios: Sequence[Scenario], seeds: Sequence[int], folders: Sequence[str]) -> tuple[str, ...]:
    """A name for each of two runs. If they have the same settings and seed, the folders tell them apart."""
    pairs = zip(scenarios, seeds, strict=True)
    told = [{**_flat(each.model_dump(mode="json")), ("seed",): seed} for each, seed in pairs]
    given = {**_flat(scenarios[0].as_dict()), **_flat(scenarios[1].as_dict()), ("seed",): 0}  # without what is usual
    keys = [key for key in given if told[0].get(key) != told[1].get(key)]
    if not keys:
        return tuple(f"the same settings, {folder}" for folder in folders)
    more = f" and {len(keys) - MOST} more" if len(keys) > MOST else ""
    return tuple(", ".join(_told(key, each.get(key)) for key in keys[:MOST]) + more for each in told)


def _flat(settings: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    """Each setting, by the names of the tables that it is in."""
    return dict(_parts((), {key: value for key, value in settings.items() if key not in OF_A_BATCH}))


def _parts(at: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        items = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        items = [("" if len(value) == 1 else str(number), each) for number, each in enumerate(value)]
    else:
        yield at, value
        return
    for key, each in items:
        yield from _parts((*at, key) if key else at, each)


def _told(key: tuple[str, ...], value: Any) -> str:
    """A setting, such as ``action failure 0.5``; of a group of agents with its number."""
    name = " ".join(part for part in key[-2:] if part not in ("agents", "world", "perturb")).replace("_", " ")
    if value is None:
        return f"no {name}"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{name} {text if len(text) <= LONGEST else text[: LONGEST - 1] + '…'}"
