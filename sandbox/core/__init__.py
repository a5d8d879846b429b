"""The basic types of Sandbox: plain data and contracts that all other packages use."""
