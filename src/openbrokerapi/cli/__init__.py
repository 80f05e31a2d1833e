"""The command `openbroker`: the composition root, one module per command."""
