"""The studio, for ``streamlit run app.py`` in a checkout; an installed package opens it with ``sandbox app``."""

from sandbox.studio.main import main

main()
