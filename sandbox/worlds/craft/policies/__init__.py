"""The compiled policies of craft."""
