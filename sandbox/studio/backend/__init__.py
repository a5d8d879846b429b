"""The thread side of the studio: the simulation and what it publishes. Nothing here knows Streamlit."""
