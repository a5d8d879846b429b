"""Foreign text for a terminal: names, titles, paths and errors stay in one line and cannot control the terminal."""

import unicodedata

from rich.text import Text

_TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # classes that reorder text


def as_line(words: str) -> str:
    """A text as one line, with an escape for each character that would control a terminal."""
    return "".join(_escaped(char) if _controls(char) else char for char in words)


def lines(*words: str) -> Text:
    """A text of several lines, for a ``Screen`` or a cell of a table, which print each string as one line."""
    return Text("\n".join(map(as_line, words)))


def _controls(char: str) -> bool:
    kind = unicodedata.category(char)
    return kind in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(char) in _TURNS


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
