"""The store in one SQLite file: for one process, with nothing to set up."""
