"""A small broker as people write them for openbrokerapi 4.7.3, and the environment that it runs in."""
