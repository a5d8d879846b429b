"""Teams: networks, shared tasks, and protocols that share work."""
