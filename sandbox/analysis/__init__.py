"""Analysis: statistics of the outcomes of trials, with intervals."""
