"""An observation of warehouse as a picture and as text."""
