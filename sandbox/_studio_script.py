"""The script that Streamlit runs for ``sandbox app``.

It lies outside ``studio``: Streamlit takes a folder ``pages`` beside its script for pages of its own, and an address
such as /batch would open an empty one.
"""

from sandbox.studio.main import main

main()
