"""Seats for agents from outside: an episode waits for the actions of a client, which needs none of our code."""
