"""What a shell completes: commands, offerings and plans of the last catalog, instances and bindings of the record."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from click.shell_completion import ShellComplete
from tests.platform_commands.operator import Operator
from tests.platform_commands.scripted import Scripted

from openbrokerapi.cli.main import main

Completes = Callable[..., list[str]]


@pytest.fixture
def completes(broker: Scripted, at_broker: Operator, monkeypatch: pytest.MonkeyPatch) -> Completes:
    for name, value in at_broker.environment().items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    broker.answers("PUT instance", (201, {}))
    broker.answers("PUT binding", (201, {}))
    at_broker.run("provision", "my-db", "name-of-offering", "name-of-plan-1")
    at_broker.run("bind", "my-db", "my-key")
    asked = len(broker.sent)

    def complete(*words: str) -> list[str]:
        *before, incomplete = words
        found = ShellComplete(main, {}, "openbroker", "_OPENBROKER_COMPLETE").get_completions(before, incomplete)
        assert len(broker.sent) == asked, "a shell must not wait for a broker"
        return [each.value for each in found]

    return complete


def test_names_are_completed(completes: Completes) -> None:
    assert completes("pro") == ["provision"]
    assert completes("deprovision", "") == ["my-db"]
    assert completes("deprovision", "x") == []
    assert completes("unbind", "my-db", "my") == ["my-key"]
    assert completes("poll", "my-db", "--binding", "") == ["my-key"]
    assert completes("provision", "new", "name-") == ["name-of-offering"]
    assert completes("provision", "new", "name-of-offering", "") == ["name-of-plan-1", "name-of-plan-2"]
    assert completes("provision", "new", "other", "") == []
    assert completes("update", "my-db", "--plan", "name-of-plan-2") == ["name-of-plan-2"]


def test_what_is_at_another_broker_is_not_completed(completes: Completes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completes("deprovision", "--url", "http://other.example", "") == []
    assert completes("provision", "--url", "http://other.example", "new", "") == []
    monkeypatch.delenv("OPENBROKER_URL")
    assert completes("deprovision", "") == ["my-db"]


def test_a_damaged_record_completes_nothing_and_breaks_nothing(completes: Completes, at_broker: Operator) -> None:
    at_broker.record_path.write_text("{")
    assert completes("deprovision", "") == []
    for path in (at_broker.home / "cache").rglob("*.json"):
        path.write_text("{")
    assert completes("provision", "new", "") == []


def test_the_cache_has_names_and_nothing_else(completes: Completes, at_broker: Operator) -> None:
    (path,) = (at_broker.home / "cache").rglob("*.json")
    assert path.read_text() == (
        f'{{"broker":"{at_broker.url}","offerings":{{"name-of-offering":["name-of-plan-1","name-of-plan-2"]}}}}'
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_names_the_command(at_broker: Operator, shell: str) -> None:
    script = at_broker.run("completion", shell)
    assert f"{shell}_complete" in script
    assert "_OPENBROKER_COMPLETE" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=30)  # noqa: S607
