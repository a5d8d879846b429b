"""The compiled policies of the rooms."""
