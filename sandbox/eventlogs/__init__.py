"""Event logs of process mining: what happened in a run, as OCEL 2.0 and XES; and scenarios that are fitted to logs."""
