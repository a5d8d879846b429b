"""An observation of craft as a picture and as text."""
