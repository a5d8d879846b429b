"""A seat in the loops of other packages: wait for its next turn, leave it; other episodes go on meanwhile."""

import asyncio
from typing import Any

from sandbox.seat.seats import Seat, Turn

PATIENCE = 86_400.0  # seconds that a tick waits for a model, or for a person who approves


async def next_turn(seat: Seat) -> Turn | None:
    """What the agent sees when it next has to act; None if the episode is over."""
    while True:
        turn = await asyncio.to_thread(seat.observe)
        if turn or seat.over:
            return turn


def told(turn: Turn) -> str:
    """A turn as a model reads it."""
    return f"Tick {turn.tick}.\n{turn.words}"


async def left(seat: Seat) -> dict[str, Any]:
    """Leave a seat; returns the outcome. Raises RuntimeError for an infrastructure error, which is no outcome."""
    outcome = await asyncio.to_thread(seat.leave)
    if outcome is None or outcome.get("error"):
        raise RuntimeError("the episode does not end" if outcome is None else str(outcome["error"]))
    return outcome
