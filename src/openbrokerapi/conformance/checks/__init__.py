"""The checks, a module for each group of rules; each lists itself."""
