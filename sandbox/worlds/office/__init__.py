"""Office: enterprise processes run by teams of agents and people, with queues, clocks, documents and oversight."""
