"""Teams: who can speak to whom, what is to be done together, and how that is shared out."""
