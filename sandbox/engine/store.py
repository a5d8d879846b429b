"""Compiled kernels on disk: one file for each kernel and each signature of its arguments, with a checksum.

Numba's own cache keeps an index and its data in files of their own and checks neither. Damaged machine code kills the
process, and an index that two processes write at once names the data of another signature. Here a file that does not
agree with its checksum, or cannot be read, counts as missing: the kernel is compiled again and the file replaced.
"""

import glob
import inspect
import os
import pickle
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

SUFFIX = ".nbc"
_SUM = sha256().digest_size
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')  # in the names of files on Windows


def read(path: Path) -> bytes | None:
    """What was written to a file; None where it is missing, damaged or cannot be read."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data[_SUM:] if len(data) > _SUM and sha256(data[_SUM:]).digest() == data[:_SUM] else None


def write(path: Path, content: bytes) -> None:
    """Put a file in its place, whole or not at all; a disk that is full or read-only costs a compilation next time."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.write(sha256(content).digest() + content)
                file.close()
                if path.is_dir():
                    shutil.rmtree(path)
                os.replace(file.name, path)
            except BaseException:
                file.close()
                os.unlink(file.name)
                raise


class Store(_Cache):
    """The stored signatures of one kernel, as Numba's dispatcher asks for them."""

    def __init__(self, function: Callable, source: bytes) -> None:
        self._folder = Path(numba.config.CACHE_DIR)
        self._name = _FORBIDDEN.sub("_", f"{function.__module__}.{function.__qualname__}")
        code = function.__code__
        self._origin = sys.version, code.co_filename, code.co_firstlineno, sha256(source).hexdigest()

    @property
    def stored(self) -> bool:
        """Whether the kernel can be loaded, for some arguments."""
        return any(read(path) is not None for path in self._folder.glob(f"{glob.escape(self._name)}-*{SUFFIX}"))

    @property
    def cache_path(self) -> str:
        return str(self._folder)

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        target_context.refresh()
        key = self._key(sig, target_context.codegen())
        content = read(self._path(key))
        try:
            known, parts = pickle.loads(content) if content else (None, ())
            return CompileResult._rebuild(target_context, *parts) if known == key else None
        except Exception:  # whole, but of modules that have changed: whatever unpickling meets, compile it again
            return None

    def save_overload(self, sig: Any, data: CompileResult) -> None:
        if not data.lifted and not data.library.has_dynamic_globals:
            key = self._key(sig, data.library.codegen)
            write(self._path(key), dumps((key, data._reduce())))

    def _key(self, sig: Any, codegen: Any) -> tuple:
        return sig, codegen.magic_tuple(), self._origin

    def _path(self, key: tuple) -> Path:
        return self._folder / f"{self._name}-{sha256(repr(key).encode()).hexdigest()[:16]}{SUFFIX}"

    def enable(self) -> None:
        """It always is."""

    def disable(self) -> None:
        """It cannot be."""

    def flush(self) -> None:
        for path in self._folder.glob(f"{glob.escape(self._name)}-*{SUFFIX}"):
            path.unlink(missing_ok=True)


def stored(dispatcher: Any) -> Any:
    """The dispatcher of a kernel, whose compiled code is kept on disk if its source is known."""
    function = dispatcher.py_func
    with suppress(OSError, TypeError):  # typed at a prompt: it is compiled each time
        dispatcher._cache = Store(function, _source(function))
    return dispatcher


def _source(function: Callable) -> bytes:
    """The file that a kernel stands in, or the cell of a notebook."""
    name = function.__code__.co_filename
    return Path(name).read_bytes() if os.path.isfile(name) else inspect.getsource(function).encode()
