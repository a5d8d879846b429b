"""The studio's simulation threads and the data that they publish. It does not depend on Streamlit."""
