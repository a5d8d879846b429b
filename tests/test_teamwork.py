"""What worlds offer to teams. To compile a team for one world takes longer than to play all of this without compiling.

The loop of the compiled tier is the same (``test_kernels_equal_their_python_twins``).
"""

import os
import subprocess
import sys

import pytest

from sandbox.engine.registry import find, names


def test_offers_and_verdicts_in_plain_python(root):
    command = [sys.executable, "-m", "pytest", "tests/plain_teamwork.py", "-n0", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}
    )
    assert done.returncode == 0 and "skipped" not in done.stdout, done.stdout[-5000:] + done.stderr[-1000:]


@pytest.mark.parametrize("world", names())
def test_a_task_is_said_in_plain_words(world):
    for kind in find(world).teamwork.kinds:
        said = [text.format(what="seven") for text in kind.texts]
        assert len(set(said)) >= 3
        for text in said:
            assert text[0].isupper() and text.endswith(".") and "{" not in text and "  " not in text
            assert len(text) < 120 and kind.name.isidentifier()
