"""The display of `openbroker check`, and its files."""
