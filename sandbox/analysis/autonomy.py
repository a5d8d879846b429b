"""Who decided: the share of decisions that the agents under test made themselves, over the rows of a batch."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Decided(NamedTuple):
    """Who decided for the agents under test, over trials that count; ``total`` is 0 for compiled policies."""

    total: int
    own: int
    fallbacks: int
    late: int
    invalid_replies: int
    autonomy: float | None  # 0..1, own of total; None if no trial counts


COUNTED = ("own_decisions", "fallbacks", "taken_over", "late_decisions", "invalid_replies")
COLUMNS = (*COUNTED, "autonomy", "error")  # the columns that are read


def decided(rows: "pd.DataFrame") -> Decided:
    """Who decided in the rows of ``results`` that count."""
    counted = rows[rows["error"].isna()]
    own, fallbacks, taken, late, invalid = (int(counted[name].sum()) for name in COUNTED)
    total = own + fallbacks + taken
    share = own / total if total else counted["autonomy"].mean() if counted["autonomy"].notna().any() else None
    return Decided(total, own, fallbacks, late, invalid, share)


def is_tested(rows: "pd.DataFrame") -> bool:
    """Whether agents in rows of ``results`` have other reasoners than compiled policies."""
    return bool(rows[["own_decisions", "fallbacks", "taken_over"]].to_numpy().any())
