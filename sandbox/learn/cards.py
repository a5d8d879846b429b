"""Files of weights as trainings write them: with a card that says what was trained, how, and how well it does."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from sandbox.nets.weights import read
from sandbox.record.whole import replacing


def of_scripts(*files: str) -> str:
    """The SHA-256 of the sources of a training, for its card."""
    return sha256(b"".join(Path(each).read_bytes() for each in files)).hexdigest()


def write(path: Path, tensors: dict[str, np.ndarray], card: Mapping[str, Any]) -> dict[str, Any]:
    """Write weights with their card in the file, and the card beside it (.json), for people.

    Returns the card, and below ``sha256`` the hash of the file.
    """
    with replacing(path) as part:
        part.write_bytes(save(tensors, {"card": json.dumps(card, sort_keys=True)}))
    told = {**card, "sha256": read(path).sha256}
    with replacing(path.with_suffix(".json")) as part:
        part.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    return told
