"""Orders and recipes as tables by mix (onions + 4 * tomatoes), from the keys of a ``.layout`` file."""

from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.errors import UsageError

USUAL = 20  # reward and cooking ticks of a recipe where the layout gives none
SHAPING = {"PLACEMENT_IN_POT_REW": 3, "DISH_PICKUP_REWARD": 3, "SOUP_PICKUP_REWARD": 5}
UNUSED = {"DISH_DISP_DISTANCE_REW", "POT_DISTANCE_REW", "SOUP_DISTANCE_REW"}  # overcooked-ai reads them without effect
LONGEST = 1_000_000  # ticks of cooking
TOIL = 12  # ticks to bring an ingredient, estimated: recipes are compared by reward for each tick
INGREDIENTS = ("onion", "tomato")


class Orders(NamedTuple):
    """Tables by mix, as in Params."""

    most: int
    worth: np.ndarray  # (16,) float64
    ordered: np.ndarray  # (16,) int32
    bonus: np.ndarray  # (16,) int32
    cook_time: np.ndarray  # (16,) int32
    shaping: np.ndarray  # (3,) float64


def _mix(order: Any, most: int, where: str) -> int:
    """The mix of ``{"ingredients": [...]}``."""
    ingredients = order.get("ingredients") if isinstance(order, dict) else None
    good = isinstance(ingredients, list | tuple) and 0 < len(ingredients) <= most
    if not good or any(name not in INGREDIENTS for name in ingredients):
        expected = f"{{'ingredients': [...]}} of 1 to {most} of {', '.join(INGREDIENTS)}"
        raise UsageError(f"{where}: order {order!r}: expected {expected}")
    return sum(4 if name == "tomato" else 1 for name in ingredients)


def _mixes(given: dict, key: str, most: int, where: str) -> list[int]:
    """The mixes of a list of orders; empty without such a list."""
    orders = given.get(key) or []
    if not isinstance(orders, list | tuple):
        raise UsageError(f"{where}: {key}: {orders!r}, expected a list of orders")
    return [_mix(order, most, where) for order in orders]


def _table_of(given: dict, key: str, where: str) -> dict:
    found = given.get(key) or {}
    if not isinstance(found, dict):
        raise UsageError(f"{where}: {key}: {found!r}, expected a dict")
    return found


def _number(given: dict, key: str, where: str) -> float:
    value = given.get(key) or 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise UsageError(f"{where}: {key}: {value!r}, expected a number of at least 0")
    return value


def _table(given: dict, kind: str, fixed: str, listed: list[int], where: str) -> np.ndarray:
    """(16,) float64: reward (``kind`` value) or ticks (``kind`` time) of each mix, by overcooked-ai's precedence."""
    both = [_number(given, f"{name}_{kind}", where) for name in INGREDIENTS]
    most = LONGEST if kind == "time" else inf
    special = given.get(f"recipe_{kind}s") or []
    if not isinstance(special, list | tuple) or (special and len(special) != len(listed)):
        raise UsageError(f"{where}: recipe_{kind}s: {special!r}, expected one number for each of start_all_orders")
    table = np.zeros(16)
    for mix in range(16):
        table[mix] = both[0] * (mix % 4) + both[1] * (mix // 4) if all(both) else USUAL
    for mix, number in zip(listed, special, strict=False):
        table[mix] = _number({"": number}, "", f"{where}: recipe_{kind}s")
    table = np.full(16, float(_number(given, fixed, where))) if given.get(fixed) else table
    if table.max() > most:
        raise UsageError(f"{where}: a soup that cooks for {table.max():,.0f} ticks, expected {LONGEST:,} at most")
    return table


def read_orders(given: dict, where: str) -> Orders:
    """Orders, times and rewards of a ``.layout`` file; without an order list, every recipe is ordered."""
    most = given.get("max_num_ingredients", 3)
    if most not in (1, 2, 3):
        raise UsageError(f"{where}: max_num_ingredients: {most!r}, expected 1, 2 or 3")
    listed = _mixes(given, "start_all_orders", most, where)
    now = _table_of(given, "start_state", where) or {
        key: given.get(f"start_{key}") for key in ("all_orders", "bonus_orders")
    }
    wanted, extra = _mixes(now, "all_orders", most, where), _mixes(now, "bonus_orders", most, where)
    ordered, bonus = np.zeros(16, np.int32), np.zeros(16, np.int32)
    ordered[wanted or [o + 4 * t for o in range(4) for t in range(4) if 0 < o + t <= most]] = 1
    bonus[extra] = 1
    if (bonus > ordered).any():
        raise UsageError(
            f"{where}: a bonus order is not among the orders; expected start_bonus_orders from start_all_orders"
        )
    factor = given.get("order_bonus", 2)
    worth = ordered * _table(given, "value", "delivery_reward", listed, where)
    worth[bonus == 1] *= _number({"order_bonus": factor}, "order_bonus", where)
    shaping = _table_of(given, "rew_shaping_params", where) or SHAPING
    for key in shaping:
        if key not in SHAPING and key not in UNUSED:
            raise UsageError(f"{where}: rew_shaping_params: unknown key {key!r}; known: {', '.join(SHAPING)}")
    return Orders(
        most, worth, ordered, bonus, _table(given, "time", "cook_time", listed, where).astype(np.int32),
        np.array([_number(shaping, key, where) for key in SHAPING], np.float64),
    )  # fmt: skip


def aims(orders: Orders, onions: bool, tomatoes: bool) -> np.ndarray:
    """(16,) int32: for each mix, the best mix that it can still become with the kitchen's ingredients; -1: none."""
    table = np.full(16, -1, np.int32)
    for mix in range(16):
        best = 0.0
        for goal in np.flatnonzero(orders.worth > 0):
            more = goal % 4 - mix % 4, goal // 4 - mix // 4
            if min(more) < 0 or (more[0] and not onions) or (more[1] and not tomatoes):
                continue
            rate = orders.worth[goal] / (orders.cook_time[goal] + TOIL * (goal % 4 + goal // 4))
            if rate > best:
                best, table[mix] = rate, goal
    return table
