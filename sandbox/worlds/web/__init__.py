"""Web: agents carry out instructions on sites whose labels, ids, places and behaviour change."""
