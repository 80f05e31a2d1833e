"""What every test has."""

pytest_plugins = ["tests.project.skips", "tests.stores.postgresql"]
