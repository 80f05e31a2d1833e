"""The store in a PostgreSQL database: for as many processes as wanted."""
