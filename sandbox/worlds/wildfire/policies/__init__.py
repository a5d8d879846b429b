"""The compiled policies of wildfire."""
