"""Who carries operations out: within the process, or by way of a queue in PostgreSQL."""
