"""The script that Streamlit runs for ``sandbox app``.

It lies outside ``studio``: Streamlit takes a folder ``pages`` beside its script for pages of its own, and an address
such as /batch would open an empty one. Streamlit also puts the script's folder before all others on the path, where
our ``statistics`` would take the place of Python's.
"""

import sys
from pathlib import Path

sys.path[:] = [folder for folder in sys.path if folder != str(Path(__file__).parent)]

from sandbox.studio.main import main  # noqa: E402

main()
