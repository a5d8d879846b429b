"""Search of entries by similarity (vectors, one contiguous matrix) and by words (SQLite's FTS5).

An entry's score is relevance + recency + importance, weighted (Park and others 2023, Generative Agents), each in 0..1;
the newest entry has the highest recency. Relevance is the weighted mean of cosine and BM25, each as a share of the
best; BM25 counts twice, because it knows which words are rare.
"""

import re
import sqlite3
from collections import Counter
from typing import NamedTuple

import numpy as np

from sandbox.agents import embed, wordllama
from sandbox.agents.memory.options import Embedding, Weights

HASHED = 128  # components of a vector of hashed words
QUERY_WORDS = 32  # at most; the rarest ones are used
POSTINGS = 2_000  # entries that contain the words of a query, at most; more frequent words are left out
PLACES = 4  # decimals of a score; the sums of different machines differ beyond them
BATCH = 1_000  # texts that are embedded at once
_WORD = re.compile(r"\w+")


class Entry(NamedTuple):
    """An entry of a memory."""

    tick: int
    text: str
    importance: float = 0.5  # 0..1


class Store:
    """Entries in the order of their arrival. A search first indexes the entries that are new since the last one."""

    def __init__(self, weights: Weights, decay: float, embedding: Embedding = "hash"):
        self.entries: list[Entry] = []
        self._weights, self._decay, self._embed = weights, decay, _VECTORS[embedding]
        self._forget_indexes()

    def __getstate__(self) -> dict:
        return {name: self.__dict__[name] for name in ("entries", "_weights", "_decay", "_embed")}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._forget_indexes()

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)

    def search(self, query: str, k: int, now: int = 0) -> list[int]:
        """Positions of the best ``k`` entries for a query at tick ``now``, best first; of equals, the later one."""
        self._index()
        size = len(self.entries)
        if not size or k <= 0:
            return []
        weights, third = self._weights, self._weights.relevance / 3
        # einsum uses one thread. While other threads work, it is eight times faster than BLAS, which uses all cores.
        score = third * _share(np.einsum("ij,j->i", self._vectors[:size], self._embed([query])[0]))
        score += 2 * third * _share(self._by_words(query))
        score += weights.recency * self._recency(now)
        score += weights.importance * self._importance[:size]
        np.round(score, PLACES, out=score)
        least = np.partition(score, size - k)[size - k] if k < size else -np.inf
        found = np.flatnonzero(score >= least)
        return found[np.lexsort((-found, -score[found]))][:k].tolist()

    def _recency(self, now: int) -> np.ndarray:
        """``decay`` to the power of an entry's age in ticks; 1 for the newest."""
        age = np.maximum(now - self._ticks[: len(self.entries)], 0)
        most = int(age.max())
        if most >= len(self._powers):
            self._powers = self._decay ** np.arange(2 * most + 1, dtype=np.float32)
        return self._powers[age]

    # -- indexes -------------------------------------------------------------------------------------------------------

    def _forget_indexes(self) -> None:
        self._indexed = 0
        self._vectors = self._embed([])
        self._ticks, self._importance = np.zeros(0, np.int64), np.zeros(0, np.float32)
        self._powers = np.zeros(0, np.float32)  # powers of ``decay``
        self._counts: Counter[str] = Counter()  # number of entries that contain a word
        self._db: sqlite3.Connection | None = None

    def _index(self) -> None:
        while fresh := self.entries[self._indexed : self._indexed + BATCH]:
            start, stop = self._indexed, self._indexed + len(fresh)
            self._make_room(stop)
            self._vectors[start:stop] = self._embed([entry.text for entry in fresh])
            self._ticks[start:stop] = [entry.tick for entry in fresh]
            self._importance[start:stop] = [entry.importance for entry in fresh]
            self._words.executemany(
                "INSERT INTO word (rowid, text) VALUES (?, ?)",
                [(start + k, entry.text) for k, entry in enumerate(fresh)],
            )
            for entry in fresh:
                self._counts.update({*_words(entry.text)})
            self._indexed = stop

    def _make_room(self, size: int) -> None:
        if size <= len(self._vectors):
            return
        room = max(64, size, 2 * len(self._vectors))
        self._vectors, self._ticks, self._importance = (
            np.concatenate([part, np.zeros((room - len(part), *part.shape[1:]), part.dtype)])
            for part in (self._vectors, self._ticks, self._importance)
        )

    @property
    def _words(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            self._db.execute("CREATE VIRTUAL TABLE word USING fts5(text, content='', tokenize='porter unicode61')")
        return self._db

    def _by_words(self, query: str) -> np.ndarray:
        """BM25 score of each entry, higher is better; 0 without a common word."""
        fit, wanted = np.zeros(len(self.entries), np.float32), self._telling(query)
        if wanted:
            asked = " OR ".join(f'"{word}"' for word in wanted)
            rows = self._words.execute("SELECT rowid, -rank FROM word WHERE word MATCH ?", (asked,)).fetchall()
            if rows:
                places, values = zip(*rows, strict=True)
                fit[list(places)] = values
        return fit

    def _telling(self, query: str) -> list[str]:
        """The rarest words of a query. Words that no entry contains are kept, since their stems may be found."""
        rare, postings = [], 0
        for word in sorted({*_words(query)}, key=lambda word: (self._counts[word], word))[:QUERY_WORDS]:
            postings += self._counts[word]
            if rare and postings > POSTINGS:
                break
            rare.append(word)
        return rare


def _hashed(texts: list[str]) -> np.ndarray:
    """Rows (n, HASHED) float32 of length one; adding up components of hashed features gives hashed features."""
    rows = embed.embed(texts)
    rows = rows.reshape(len(texts), embed.WIDTH // HASHED, HASHED).sum(axis=1)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


_VECTORS = {"hash": _hashed, "wordllama": wordllama.embed}


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _share(values: np.ndarray) -> np.ndarray:
    """Values as shares of the greatest one; negative values become 0."""
    best = values.max(initial=0.0)
    return np.maximum(values, 0.0) / best if best > 0 else np.zeros_like(values)
