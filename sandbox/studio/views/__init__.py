"""Parts of pages: panels beside the picture, and choices in the sidebar."""
