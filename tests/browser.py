"""A real Chromium, for tests; the server of pages before it is the benchmarks' own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.studio_server import CHROMIUM, browsing


@contextmanager
def chromium() -> Iterator:
    """A headless browser; without one the test is skipped, in CI it fails."""
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"no browser at {CHROMIUM}: the studio is not tested")
        pytest.skip(f"no browser at {CHROMIUM}")
    with browsing() as browser:
        yield browser
