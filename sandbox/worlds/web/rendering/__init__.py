"""An observation of web as a picture and as text."""
