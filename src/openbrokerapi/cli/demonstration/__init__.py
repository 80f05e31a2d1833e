"""The parts of ``openbroker demo``: a real PostgreSQL, the example broker over HTTP, and the platform's part."""
