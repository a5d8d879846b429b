"""A window: the latest experiences that fit."""

from collections import deque

from sandbox.agents.memory import Journal
from sandbox.agents.memory.options import MemoryOptions
from sandbox.agents.memory.search import Entry, Store
from sandbox.agents.memory.tokens import BYTES, clip, tokens
from sandbox.core.decision import Edit

PART = 8  # one experience fills at most 1/PART of the context


class Nothing:
    """The kind ``none``: it keeps nothing."""

    now = 0

    def remember(self, tick: int, words: str, did: str, why: str) -> None:
        """Does nothing."""

    def recall(self, query: str, k: int) -> list[str]:
        return []

    def context(self, now: str = "") -> str:
        return ""

    def apply(self, edit: Edit) -> None:
        """Does nothing."""

    def taken(self) -> tuple[Edit, ...]:
        return ()


class Window(Journal):
    """The latest experiences; the oldest are dropped when the context is full."""

    def __init__(self, options: MemoryOptions):
        super().__init__()
        self._options, self.now = options, 0
        self._latest: deque[str] = deque()  # as text

    def remember(self, tick: int, words: str, did: str, why: str) -> None:
        self.edit(Edit(tick, "experience", experience(words, did, why, self._options.context), did))

    def recall(self, query: str, k: int) -> list[str]:
        store = Store(self._options.weights, self._options.decay, self._options.embedding)
        for place, text in enumerate(self._latest):
            store.add(Entry(place, text))
        return [self._latest[place] for place in store.search(query, k, len(self._latest))]

    def context(self, now: str = "") -> str:
        return "\n\n".join(self._latest)

    def apply(self, edit: Edit) -> None:
        self._latest.append(told(edit))
        while tokens(self.context()) > self._room:
            self._latest.popleft()

    @property
    def _room(self) -> int:
        """Tokens that the window may fill."""
        return self._options.context


def experience(words: str, did: str, why: str, context: int) -> str:
    """Percept, action and reason as one text, at most 1/PART of ``context`` tokens."""
    most = context * BYTES // PART - 60  # bytes, less the tick before it and the separators
    end = clip(f"You did: {clip(did, most // 3)}" + (f" ({clip(why, most // 3)})" if why else ""), most)
    return f"{clip(words, most - len(end.encode()))}\n{end}"


def told(edit: Edit) -> str:
    """An experience as text for the prompt."""
    return f"Tick {edit.tick}: {edit.text}"
