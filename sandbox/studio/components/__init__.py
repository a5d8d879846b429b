"""Components in HTML and JavaScript: the canvas, the timeline, and SVG on a page."""
