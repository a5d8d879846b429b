"""The office as words and as a picture."""
