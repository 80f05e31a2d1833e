"""`openbroker catalog`, run in this process."""

from click.testing import CliRunner, Result

from openbrokerapi.cli.main import main

SECRET = "marker-of-a-password"


def run(*arguments: str) -> Result:
    """Run it with these arguments."""
    return CliRunner().invoke(main, ["catalog", *arguments])


def refused(*arguments: str) -> str:
    """Return the one sentence that it refuses these arguments with."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert SECRET not in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("Error: ").strip()
