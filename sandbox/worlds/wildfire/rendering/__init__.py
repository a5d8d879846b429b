"""An observation of wildfire as a picture and as text."""
