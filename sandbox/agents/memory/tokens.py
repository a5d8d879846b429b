"""The estimated length of a text in tokens, the same on every machine and for every model: four bytes a token."""

BYTES = 4  # of UTF-8 in a token
MORE = "..."  # marks a cut


def tokens(text: str) -> int:
    """The estimated tokens of a text, rounded up."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES)


def clip(text: str, size: int) -> str:
    """The beginning of a text, in at most ``size`` bytes of valid UTF-8."""
    data = text.encode("utf-8", "replace")
    if len(data) <= size:
        return data.decode()
    return data[: max(0, size - len(MORE))].decode(errors="ignore") + MORE[:size]


def cut(text: str, most: int) -> str:
    """The beginning of a text, in at most ``most`` tokens."""
    return clip(text, most * BYTES)
