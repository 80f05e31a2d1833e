"""Commands run in a directory and an environment of their own."""

import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in (
        *("OPENBROKER_USERNAME", "OPENBROKER_PASSWORD", "OPENBROKER_TOKEN", "OPENBROKER_URL"),
        *("http_proxy", "HTTP_PROXY"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
