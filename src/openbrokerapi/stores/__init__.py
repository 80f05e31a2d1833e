"""Where managed brokers keep their state: one contract, and a folder for each database."""
