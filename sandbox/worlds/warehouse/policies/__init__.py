"""The compiled policies of warehouse."""
