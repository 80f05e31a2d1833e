"""What an operator has at brokers: the record of it, what is asked of a broker, and how it is shown."""
