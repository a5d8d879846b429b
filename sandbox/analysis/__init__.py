"""Analysis: what the outcomes of trials say, with intervals."""
