"""A run's report as JSON, as JUnit XML, and as a page."""
