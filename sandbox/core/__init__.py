"""The nouns of Sandbox: plain data and contracts that every other floor is built on."""
