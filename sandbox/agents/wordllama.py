"""Texts as vectors by a small model: the mean of learned vectors of their tokens (WordLlama, 256 components, MIT).

The files are those of the package ``wordllama`` (extra ``embed``). The package itself is not imported, since its loader
asks the network for a file that it contains.
"""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.core.errors import UsageError

WIDTH = 256  # components


def embed(texts: Sequence[str]) -> np.ndarray:
    """``texts`` as rows (n, ``WIDTH``) float32 of length one; a text without any token is a row of zeros.

    Raises UsageError without the package.
    """
    tokenizer, vectors = _model()
    rows = np.zeros((len(texts), WIDTH), np.float32)
    for row, found in zip(rows, tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True):
        if found.ids:
            row[:] = vectors[found.ids].mean(axis=0)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


@cache
def _model() -> tuple[Any, np.ndarray]:
    """The tokenizer, and a vector for each of its tokens (32,000, ``WIDTH``) float32."""
    package = find_spec("wordllama")
    if package is None or not package.submodule_search_locations:
        raise UsageError("wordllama is missing for vectors of texts: pip install 'sandbox[embed]'")
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    folder = Path(package.submodule_search_locations[0])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    return tokenizer, load_file(folder / "weights" / "l2_supercat_256.safetensors")["embedding.weight"].astype("f4")
