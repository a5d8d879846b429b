"""What an episode has come to so far, tick by tick, as its record has it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.record import Event, Run

INTERVENTIONS = ("changed", "placed")  # kinds of events


@dataclass
class Past:
    """The states of an episode by their digests, and what people did to it."""

    digests: list[str] = field(default_factory=list)  # of the state after tick 1, 2, ...
    interventions: dict[int, list[Event]] = field(default_factory=dict)  # by the tick that came next
    error: str | None = None  # that ended it

    @classmethod
    def read(cls, run: Run, trial: int) -> "Past":
        """Raises RecordError where the file is unreadable."""
        sql = "SELECT json_extract(body, '$.digest') FROM event WHERE kind = 'tick' AND trial = ? ORDER BY seq"
        past = cls([digest for (digest,) in run.query(sql, (trial,))])
        past.note(event for event in run.milestones(*INTERVENTIONS) if event.trial == trial)
        return past

    def note(self, events: Iterable[Event]) -> None:
        """Keep those that are interventions."""
        for event in events:
            if event.kind in INTERVENTIONS:
                self.interventions.setdefault(event.tick, []).append(event)
