"""What the managed runtime costs: durable provisions, polls, fetches, and doing nothing."""
