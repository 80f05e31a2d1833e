"""A platform that misbehaves: scenarios that any broker has to survive, and what went wrong in them."""
