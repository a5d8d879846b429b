"""An observation of kitchen as a picture and as text."""
