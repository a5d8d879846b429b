"""Search in documents: how often the passage that answers a question is among the first, by embedding."""

import time
import tomllib
from pathlib import Path

import numpy as np

from benchmarks.pages import DOCS, difference, number, show
from sandbox.agents.memory.options import Weights
from sandbox.agents.memory.search import Entry, Store
from sandbox.agents.tools.retrieval import chunks
from sandbox.statistics import Estimate, paired_success, success_rate

PEERS = ("wordllama",)
PAGE = "memory.md"
QUERIES = Path(__file__).with_name("retrieval_queries.toml")
LEFT_OUT = ("decisions.md", "claims.md", "memory.md")  # lists of notes; the page of this table
FIRST = (3, 10)  # passages
EMBEDDINGS = ("hash", "wordllama")


def passages() -> list[str]:
    """Those of docs/*.md, as the tool ``retrieval`` cuts them."""
    pages = [path for path in sorted(DOCS.glob("*.md")) if path.name not in LEFT_OUT]
    return [chunk for path in pages for _, chunk in chunks(path.read_text(encoding="utf-8"))]


def questions(texts: list[str]) -> list[tuple[str, int]]:
    """Each question with the number of the passage that answers it; those of pages left out are not asked."""
    plain, found = [" ".join(text.split()) for text in texts], []
    for query in tomllib.loads(QUERIES.read_text(encoding="utf-8"))["queries"]:
        places = [k for k, text in enumerate(plain) if query["answer"] in text]
        assert len(places) < 2, f"{query['answer']}: {len(places)} passages have it, expected one"
        found += [(query["ask"], place) for place in places]
    return found


def recall(quick: bool) -> None:
    """Recall at 3 and 10 of the whole search, vectors and words, with the paired difference to hashed words."""
    texts = passages()
    asked = questions(texts)[: 10 if quick else None]
    ranks, rows = {}, []
    for name in EMBEDDINGS:
        begun = time.process_time()
        store = Store(Weights(recency=0, importance=0), 1.0, name)
        for text in texts:
            store.add(Entry(0, text))
        ranks[name] = np.array([store.search(query, len(texts)).index(place) for query, place in asked])
        spent = time.process_time() - begun
        cells = [name, number(len(asked), 0)]
        for k in FIRST:
            found = ranks[name] < k
            share = success_rate(int(found.sum()), len(found))
            points = paired_success(ranks["hash"] < k, found).difference
            cells += [f"{share.value:.2f} ({share.low:.2f} .. {share.high:.2f})",
                      "" if name == "hash" else difference(Estimate(*points), 1, 2)]  # fmt: skip
        rows.append([*cells, number(spent, 1)])
    head = [cell for k in FIRST for cell in (f"recall at {k}", f"recall at {k}, beside hash")]
    show(PAGE, "recall", ["embedding", "n", *head, "CPU s"], rows, quick)


PARTS = {"recall": recall}
