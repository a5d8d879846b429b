"""Words that others wrote, as labels and captions of a page: only words, whatever they hold."""

import re

MOST = 120  # letters
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")  # those that Markdown lets one escape


def plain(text: object, most: int = MOST) -> str:
    """One line of a text, of ``most`` letters, in which nothing is Markdown, HTML, a link or a formula."""
    line = " ".join(str(text).split())
    return _MARKS.sub(r"\\\1", line if len(line) <= most else line[: most - 1] + "…")
