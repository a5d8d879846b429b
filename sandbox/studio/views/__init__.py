"""Parts of pages: what stands beside the picture, and the choices in the sidebar."""
