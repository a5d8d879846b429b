"""The world rooms: a designer, a client and an accountant furnish a flat."""
