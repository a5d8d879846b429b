"""Files of weights: safetensors, as the library of that name writes them, read with NumPy alone.

A file is a length (8 bytes, little endian), that many bytes of JSON (dtype, shape and place of each tensor, and texts
below ``__metadata__``), and the tensors. Nothing of it is run.
"""

import json
from functools import lru_cache
from hashlib import sha256
from math import prod
from os.path import isfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.files import near

FOLDER = Path(__file__).parent / "weights"
SUFFIX = ".safetensors"
WEIGHTS = f"weights{SUFFIX}"  # in the folder of a training
LARGEST = 64 << 20  # bytes
EXPECTED = "weights (.safetensors) that 'sandbox learn' has written"
_DTYPES = {
    "I8": np.int8,
    "I16": np.int16,
    "I32": np.int32,
    "I64": np.int64,
    "F16": np.float16,
    "F32": np.float32,
    "F64": np.float64,
}


class Weights(NamedTuple):
    """The content of a file."""

    tensors: dict[str, np.ndarray]  # read-only
    card: dict[str, Any]  # what the training tells of itself, see docs/learning.md
    sha256: str  # of the file, hexadecimal


def shipped(name: str) -> Path | None:
    """The file of weights that the package has under a name, such as ``world-model-kitchen``; None without one."""
    path = FOLDER / f"{name}{SUFFIX}"
    return path if isfile(path) else None  # False, too, for what can be no name of a file


def names(kind: str) -> tuple[str, ...]:
    """The names of all weights of a kind that the package has: ``policy`` has ``kitchen``, for example."""
    return tuple(sorted(path.stem.removeprefix(f"{kind}-") for path in FOLDER.glob(f"{kind}-*{SUFFIX}")))


def read(path: str | Path) -> Weights:
    """The weights of a file; raises UsageError, in one line, for any other."""
    path = Path(path)
    if path.suffix != SUFFIX:
        raise UsageError(f"{path}: expected {EXPECTED}")
    try:
        told = path.stat()
        return _read(path, told.st_mtime_ns, told.st_size)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; {near(path)}expected {EXPECTED}") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{path}: damaged, or no safetensors; expected {EXPECTED}") from None


@lru_cache(16)
def _read(path: Path, changed: int, size: int) -> Weights:
    if size > LARGEST:
        raise UsageError(f"{path}: {size >> 20} MiB; expected at most {LARGEST >> 20}")
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    card = json.loads(header.pop("__metadata__", {}).get("card", "{}"))
    tensors = {name: _tensor(data, start, **told) for name, told in header.items()}
    return Weights(tensors, card, sha256(data).hexdigest())


def _tensor(data: bytes, start: int, dtype: str, shape: list[int], data_offsets: list[int]) -> np.ndarray:
    first, last = data_offsets
    kind = np.dtype(_DTYPES[dtype]).newbyteorder("<")
    if (
        not 0 <= first <= last <= len(data) - start
        or last - first != prod(shape) * kind.itemsize
        or min(shape, default=0) < 0
    ):
        raise ValueError
    return np.frombuffer(data, kind, prod(shape), start + first).reshape(shape)
