"""The thread side of the studio: the simulation and what it publishes. It does not depend on Streamlit."""
