"""The errors of an agent: of its present belief, and of its earlier forecasts of the present."""

from collections.abc import Sequence

from sandbox.studio.backend.forecast import HORIZONS, Forecast, Share
from sandbox.studio.views.sheet import caption, table

SINCE = "forecasts are noted from the tick at which you select an agent. Let the episode continue."


def proved(forecasts: Sequence[Forecast], base: str) -> str:
    """The present belief and the forecasts by horizon, as HTML; the first one is the belief."""
    told = caption(
        "Of the facts of the world, those that it is wrong about now: by its present belief, and by what it believed "
        f"some ticks ago, rolled on with the world's own rules and the policy '{base}' for all it knew of. "
        "Mean over a few draws of what it did not know."
    )
    rows = [(_ago(each.horizon), _wrong(each.seen), _wrong(each.unseen)) for each in forecasts]
    told += table(("Believed", "In view then", "Out of view"), rows)
    if len(forecasts) > 1:
        told += caption(_changed(forecasts[-1]))
    known = {each.horizon for each in forecasts}
    if missing := [horizon for horizon in HORIZONS if horizon not in known]:
        told += caption(f"None of {_listed(missing)} ago: {SINCE}")
    return told


def _ago(horizon: int) -> str:
    return f"{_listed([horizon])} ago" if horizon else "now"


def _wrong(share: Share) -> str:
    return f"{share.share:.1%} of {share.facts:,}" if share.facts else "-"


def _changed(one: Forecast) -> str:
    """The measure of `sandbox foresight` for the longest forecast."""
    told = f"Within {_listed([one.horizon])}, {one.changed.facts:,} facts have changed"
    return f"{told}; {one.changed.share:.0%} of these it foresaw wrongly." if one.changed.facts else f"{told}."


def _listed(ticks: Sequence[int]) -> str:
    *first, last = map(str, ticks)
    return f"{', '.join(first)}{' and ' if first else ''}{last} {'tick' if ticks == [1] else 'ticks'}"
