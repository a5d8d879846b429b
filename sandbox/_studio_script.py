"""The script that ``sandbox app`` has Streamlit run.

It lies outside ``studio``: Streamlit takes a folder ``pages`` beside its script for pages of its own, and an address
such as /batch would open an empty one.
"""

from sandbox.studio.main import main

main()
