"""Text from elsewhere for a terminal: names, titles, paths and errors stay in their line and control nothing."""

import unicodedata

from rich.text import Text

_TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # that reorder what is written around them


def as_line(words: str) -> str:
    """What somebody wrote as one line: a character that would control a terminal is shown as its escape."""
    return "".join(_escaped(char) if _controls(char) else char for char in words)


def lines(*words: str) -> Text:
    """Several lines, for a ``Screen`` or a cell of a table, where every string is one line."""
    return Text("\n".join(map(as_line, words)))


def _controls(char: str) -> bool:
    kind = unicodedata.category(char)
    return kind in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(char) in _TURNS


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
