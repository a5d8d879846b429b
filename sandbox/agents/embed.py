"""Texts as vectors, without a model: signed feature hashing (Weinberger and others 2009, arXiv 0902.2206).

Features are words, pairs of neighbouring words, and the 3- to 5-grams of each word's characters, which make
``pickaxes`` near to ``pickaxe``. The same text gets the same vector on every machine.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np

WIDTH = 1024  # components; collisions cancel out on average, for each feature has a sign
_WORD = re.compile(r"[^\W_]+")
_GRAMS = (3, 4, 5)
_GRAM_WEIGHT = 0.3  # of a word's n-grams, beside 1 for words and pairs


def embed(texts: Sequence[str]) -> np.ndarray:
    """``texts`` as rows (n, ``WIDTH``) float32 of length one; a text without any word is a row of zeros."""
    rows = np.zeros((len(texts), WIDTH), np.float32)
    for row, text in zip(rows, texts, strict=True):
        for feature, count in Counter(_features(text.lower())).items():
            place, sign = _hashed(feature)
            row[place] += sign * np.sqrt(count) * (_GRAM_WEIGHT if feature[0] == "#" else 1.0)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=rows, where=lengths > 0)


def nearest(query: str, texts: Sequence[str], count: int) -> list[int]:
    """The numbers of the ``count`` texts that are most similar to ``query``, best first; ties in their order."""
    if not texts:
        return []
    found = embed([query, *texts])
    return np.argsort(-(found[1:] @ found[0]), kind="stable")[:count].tolist()


def _features(text: str) -> Iterator[str]:
    words = _WORD.findall(text)
    yield from words
    yield from (f"{first} {second}" for first, second in zip(words, words[1:], strict=False))
    for word in words:
        yield from _grams(f"<{word}>")


def _grams(word: str) -> Iterable[str]:
    return (f"#{word[k : k + size]}" for size in _GRAMS for k in range(len(word) - size + 1))


@lru_cache(1 << 16)  # texts of one world share their features
def _hashed(feature: str) -> tuple[int, float]:
    """A component and a sign. Not by Python's ``hash``, which differs between processes."""
    number = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest(), "little")
    return (number >> 1) % WIDTH, 1.0 if number & 1 else -1.0
