"""Words from outside, for places where Streamlit would read Markdown: shown as they are, and not too many of them."""

import re

_MARKS = re.compile(r"[\\`*_\[\]<>$~#|]|:(?=\S)")


def plain(words: str, most: int = 600) -> str:
    """One line in which nothing is Markdown, an icon, mathematics or HTML."""
    line = " ".join(words.split())
    return _MARKS.sub(r"\\\g<0>", line if len(line) <= most else f"{line[:most]} ...")
