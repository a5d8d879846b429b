"""The errors of an agent: of its present belief, and of its earlier forecasts of the present."""

from collections.abc import Iterator, Sequence

import streamlit as st

from sandbox.studio.backend.forecast import HORIZONS, Forecast

VIEWS = {"In view": "seen", "Out of view": "unseen"}
HEIGHT = 220  # pixels
SINCE = "forecasts are noted from the tick at which you select an agent. Let the episode continue."


def proved(forecasts: Sequence[Forecast], base: str) -> None:
    """The present belief in numbers, and a chart of forecasts by horizon; the first one is the belief."""
    st.caption("Of the facts of the world, those that it is wrong about now")
    with st.container(horizontal=True):
        for label, field in VIEWS.items():
            share = getattr(forecasts[0], field)
            words = f"Of {share.facts:,} facts, those that it believes otherwise than they are now"
            st.metric(label, f"{share.share:.1%}", help=words, border=True)
    words = (
        f"What it believed then, rolled on with the world's own rules and the policy '{base}' for all it knew of, "
        "against what there is now; in view is what was in view then. Mean over a few draws of what it did not know."
    )
    st.caption("The same of what it foresaw of now, by how many ticks ago", help=words)
    known = {each.horizon for each in forecasts}
    if len(known) > 1:
        data = {field: [row[field] for row in _rows(forecasts)] for field in ("ago", "wrong", "view", "told")}
        st.vega_lite_chart(data, SPEC, width="stretch", height=HEIGHT, key="forecasts", alt="Forecast error by horizon")
        st.caption(_changed(forecasts[-1]))
    if missing := [horizon for horizon in HORIZONS if horizon not in known]:
        st.caption(f":material/hourglass_empty: None of {_listed(missing)} ago: {SINCE}")


def _rows(forecasts: Sequence[Forecast]) -> Iterator[dict]:
    for each in forecasts:
        for view, field in VIEWS.items():
            share = getattr(each, field)
            if share.facts:
                told = f"{share.wrong:.3g} of {share.facts:,} facts"
                yield {"ago": each.horizon, "wrong": share.share, "view": view, "told": told}


def _changed(one: Forecast) -> str:
    """The measure of `sandbox foresight` for the longest forecast."""
    told = f"Within {_listed([one.horizon])}, {one.changed.facts:,} facts have changed"
    return f"{told}; {one.changed.share:.0%} of these it foresaw wrongly." if one.changed.facts else f"{told}."


def _listed(ticks: Sequence[int]) -> str:
    *first, last = map(str, ticks)
    return f"{', '.join(first)}{' and ' if first else ''}{last} {'tick' if ticks == [1] else 'ticks'}"


def _spec() -> dict:
    """The chart's specification, the same for every tick and agent, so that updates send only data."""
    ago = {"field": "ago", "type": "ordinal", "title": None, "axis": {"labelAngle": 0}}
    ago["scale"] = {"domain": [0, *HORIZONS]}
    wrong = {"field": "wrong", "type": "quantitative", "title": None, "axis": {"tickCount": 3, "format": ".3~%"}}
    view = {"field": "view", "type": "nominal", "scale": {"domain": list(VIEWS)}}
    legend = {"title": None, "orient": "top", "offset": 4, "symbolSize": 60, "symbolStrokeWidth": 1}
    hint = [{"field": field, "type": "nominal"} for field in ("view", "ago", "told")]
    mark = {"type": "line", "point": {"filled": True, "size": 50}, "strokeWidth": 2}
    encoding = {"x": ago, "y": wrong, "tooltip": hint}
    encoding |= {"color": view | {"legend": legend}, "shape": view | {"legend": legend}}  # not by colour alone
    encoding["strokeDash"] = view | {"legend": None}
    return {"mark": mark, "encoding": encoding}


SPEC = _spec()
