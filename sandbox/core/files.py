"""Text files of other tools: reads the encodings that editors write, and recognises formats by their content."""

import os
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any

from sandbox.core.errors import UsageError

# -- toml: limits long dotted keys, for which ``tomllib`` takes minutes

DEEPEST_KEY = 32  # parts of a dotted key
_TEXT = r""""(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'"""
_LONG_TEXTS = r"""(?s:"{3}(?:[^\\"]|\\.|"(?!""))*+"{0,5}|'{3}(?:[^']|'(?!''))*+'{0,5})"""
_PART = rf"(?:[\w-]++|{_TEXT})"
_KEY = rf"(?<![\w-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{DEEPEST_KEY},}}+"
# Texts and comments are matched too, to skip them: they contain no keys.
_TOKEN = re.compile(rf"{_LONG_TEXTS}|(?P<key>{_KEY})|{_TEXT}|#[^\n]*+")


def read_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text; raises TOMLDecodeError (a ValueError) with one line if it cannot be read."""
    if text.count(".") >= DEEPEST_KEY and (found := _long_key(text)):
        line = text.count("\n", 0, found.start()) + 1
        raise TOMLDecodeError(f"A key of more than {DEEPEST_KEY} parts (at line {line}, column 1)")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TOMLDecodeError("Lists or tables nested too deeply") from None
    except TOMLDecodeError:
        raise
    except ValueError:  # Python does not read integers of thousands of digits
        raise TOMLDecodeError("A number of thousands of digits") from None


def _long_key(text: str) -> re.Match | None:
    return next((found for found in _TOKEN.finditer(text) if found["key"]), None)


# -- files

LARGEST = 200_000_000  # bytes
_MARKS = {  # byte order marks; UTF-32 first, since its mark begins with the mark of UTF-16
    b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}  # fmt: skip
_BINARY = {
    b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture", b"BM": "a BMP picture",
    b"%PDF": "a PDF document", b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip archive",
    b"SQLite format 3\0": "an SQLite database", b"\x89HDF": "an HDF5 file", b"\x93NUMPY": "a NumPy array",
    b"\x80\x04": "a Python pickle", b"\x80\x05": "a Python pickle",
}  # fmt: skip
_STARTS = {
    "GraphML": r"(?s)<(.{0,2000}<)?graphml\b",
    "GEXF": r"(?s)<(.{0,2000}<)?gexf\b",
    "a Tiled map": r'(?s)<(.{0,500}<)?map\b|\{.{0,2000}"tiledversion"',
    "an HTML page": r"(?i)<(!doctype html|html)\b",
    "XML": r"<\?xml\b",
    "a League of Robot Runners problem": r'(?s)\{.{0,2000}"mapFile"\s*:',
    "a graph in JSON": r'(?s)\{(?=.{0,2000}"nodes"\s*:)',
    "an Overcooked layout": r"""(?s)\{.{0,5000}["']grid["']\s*:""",
    "JSON": r'\{\s*"|\[\s*([{"\d]|\[\s*[\d"\[])',
    "a movingai scenario (.scen)": r"(?i)version[ \t]+\d+(\.\d+)?[ \t]*$",
    "a movingai map": r"(?i)(type[ \t]+\w+|(height|width)[ \t]+\d+)[ \t]*$",
    "GML": r"(?i)(creator\b.{0,99}\s{1,9})?(version\b.{0,99}\s{1,9})?graph\s*\[",
    "an RWARE layout": r"(?i)(?=[^x]*x)[\s.xg]+\Z",
    "an Overcooked map": r"(?=[^P]*P)(?=[^S]*S)[\sXPOTDS1-9]+\Z",
}
_LINES = {
    "a lesson": r"\[lesson\]",
    "a site of the world 'web'": r"\[\[page\]\]",
    "a scenario": r"\[\[agents\]\]|agents *=",
    "YAML": r"---$|[\w-]+:( |$)",
}


def decode(data: bytes, where: str, expected: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32 with a byte order mark; raises UsageError for other data."""
    for start, what in _BINARY.items():
        if data.startswith(start):
            raise UsageError(f"{where}: looks like {what}; expected {expected}")
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        told = f"not text in {encoding.removesuffix('-sig').upper()} (byte {error.start})"
        raise UsageError(f"{where}: {told}; expected a text file with {expected}") from None
    if "\0" in text:
        raise UsageError(f"{where}: not text (it has null characters); expected a text file with {expected}")
    return normal(text)


def normal(text: str) -> str:
    """The text without a byte order mark, with a line feed at the end of each line."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def path_of(name: str) -> Path:
    """The path of a name; ``~`` is the home folder."""
    try:
        return Path(os.path.expanduser(name))
    except ValueError:  # a null character after it
        return Path(name)


def read_text(path: Path, expected: str, what: str = "file") -> str:
    """The text of a file; raises UsageError with the reason, and with the nearest name if the file is missing."""
    try:
        if not os.path.exists(path):  # does not raise for invalid names
            raise UsageError(f"{path}: no such {what}; {near(path)}expected {expected}")
        if not os.path.isfile(path):
            kind = "a folder" if os.path.isdir(path) else "a device"
            raise UsageError(f"{path}: {kind}; expected {expected}")
        if (size := os.path.getsize(path)) > LARGEST:
            raise UsageError(f"{path}: {size:,} bytes; expected {expected} of {LARGEST:,} at most")
        return decode(Path(path).read_bytes(), str(path), expected)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); expected {expected}") from None


def near(path: Path) -> str:
    """A hint that names the most similar file beside a missing one; empty if there is none."""
    try:
        names = [entry.name for entry in islice(os.scandir(Path(path).parent), 10_000) if entry.is_file()]
    except (OSError, ValueError):
        return ""
    found = get_close_matches(Path(path).name, names, n=1, cutoff=0.6)
    return f"did you mean '{Path(path).parent / found[0]}'? " if found else ""


def looks_like(text: str) -> str | None:
    """The format of a text in words: "GraphML", "an Overcooked layout"; None if it is not recognised."""
    head = text[:100_000].strip()
    starts = (what for what, pattern in _STARTS.items() if re.match(pattern, head, re.MULTILINE))
    lines = (what for what, pattern in _LINES.items() if re.search(f"(?m)^(?:{pattern})", head))
    return next(chain(starts, lines), None)


@contextmanager
def explained(text: str, where: str, expected: str) -> Iterator[None]:
    """Replace the error for an unreadable text by one that names the format that it looks like."""
    try:
        yield
    except UsageError:
        found = looks_like(text)
        if found and found not in expected:
            raise UsageError(f"{where}: looks like {found}; expected {expected}") from None
        raise
