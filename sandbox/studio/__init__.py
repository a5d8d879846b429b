"""The studio: pages to watch and study teams in a browser. ``streamlit run app.py`` or ``sandbox app`` opens it."""
