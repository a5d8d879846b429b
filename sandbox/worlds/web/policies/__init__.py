"""The compiled policies of web."""
