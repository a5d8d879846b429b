"""The compiled policies of the office."""
