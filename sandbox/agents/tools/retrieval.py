"""Search in documents: chunks of a few lines each, found by vector and by words, with file and line."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from sandbox.agents.memory.options import Embedding, Weights
from sandbox.agents.memory.search import Entry, Store
from sandbox.agents.memory.tokens import clip
from sandbox.agents.tools.tool import ANSWER

CHUNK = 600  # characters, of whole lines


class Library:
    """Documents by their names, indexed by passages."""

    def __init__(self, documents: Mapping[str, str], results: int, embedding: Embedding = "hash"):
        self._places: list[str] = []  # file:line of each chunk
        self._results, self._store = results, Store(Weights(recency=0, importance=0), 1.0, embedding)
        for name, text in sorted(documents.items()):
            for line, chunk in chunks(text):
                self._places.append(f"{name}:{line}")
                self._store.add(Entry(0, chunk))

    def retrieval(self, query: Annotated[str, Field(description="a few words about what you look for")]) -> str:
        """Search the documents that you were given; each passage comes with its file and line."""
        found = self._store.search(query, self._results)
        each = ANSWER // self._results - 1
        passages = [clip(f"[{self._places[k]}] {self._store.entries[k].text}", each) for k in found]
        return "\n".join(passages) or "nothing found"


def chunks(text: str) -> Iterator[tuple[int, str]]:
    """Paragraphs, each with its heading and the number of its first line; long ones in parts of about CHUNK."""
    start, kept = 1, []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        heading = line.startswith("#")
        lone = len(kept) == 1 and kept[0].startswith("#")  # a heading waits for its paragraph
        full = sum(map(len, kept)) + len(line) > CHUNK
        if kept and (heading or not lone and (full or not line.strip())):
            yield start, "\n".join(kept).strip()
            kept = []
        if line.strip():
            start = start if kept else number
            kept.append(line)
    if kept:
        yield start, "\n".join(kept).strip()
