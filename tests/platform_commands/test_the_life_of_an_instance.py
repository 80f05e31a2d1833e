"""The life of an instance and its bindings, from the command line."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.managed.stage import CREDENTIALS, DASHBOARD, LARGE, SERVICE, SMALL, Managed
from tests.platform_commands.operator import Operator

SECRET = str(CREDENTIALS["uri"])


def test_an_instance_is_made_shown_changed_and_deleted_by_its_name(operator: Operator, managed: Managed) -> None:
    made = operator.run("provision", "my-db", "steered", "small", "-p", "size=3", "-p", "label=of-a-secret")
    (entry,) = operator.record
    assert made.splitlines() == [
        "my-db is ready (steered, small).",
        f"Dashboard: {DASHBOARD}{entry['id']}",
    ]
    assert (entry["state"], entry["offering"]["id"], entry["plan"]["id"]) == ("ready", SERVICE, SMALL)
    assert entry["broker"] == operator.url
    fetched = managed.fetch(entry["id"])
    assert fetched.json["parameters"] == {"size": 3, "label": "of-a-secret"}

    assert "my-db is updated (steered, large)." in operator.run("update", "my-db", "--plan", "large", "-p", "size=4")
    assert managed.fetch(entry["id"]).json["plan_id"] == LARGE
    assert operator.record[0]["plan"] == {"id": LARGE, "name": "large"}
    assert managed.fetch(entry["id"]).json["parameters"]["size"] == 4

    shown = operator.run("instance", "my-db")
    assert "plan: large" in shown.splitlines()
    assert f"broker says plan_id: {LARGE}" in shown.splitlines()
    assert "of-a-secret" not in shown
    assert "of-a-secret" in operator.run("instance", "my-db", "--show-parameters")
    assert "of-a-secret" not in operator.record_path.read_text()

    assert operator.run("poll", "my-db") == "my-db: the last operation has succeeded\n"
    assert operator.run("deprovision", "my-db") == "my-db is deleted.\n"
    assert operator.record == []
    assert managed.fetch(entry["id"]).status == 404
    assert operator.run("instances") == "There are no instances in the record.\n"


def test_a_binding_is_made_fetched_rotated_and_deleted(operator: Operator, managed: Managed) -> None:
    operator.run("provision", "my-db", "steered", "small")
    bound = operator.run("bind", "my-db", "my-key", "--app", "app-1")
    assert bound.splitlines() == ["my-key of my-db is ready.", "credentials: not shown (--show-credentials)"]
    assert SECRET in operator.run("binding", "my-db", "my-key", "--show-credentials")

    operator.run("rotate", "my-db", "my-key", "new-key")
    names = [each["name"] for each in operator.record[0]["bindings"]]
    assert names == ["my-key", "new-key"]
    assert managed.script.kinds().count("bind") == 2

    assert operator.run("unbind", "my-db", "my-key") == "my-key of my-db is deleted.\n"
    refused = operator.run("deprovision", "my-db", code=2)
    assert "my-db has bindings: new-key" in refused
    operator.run("deprovision", "my-db", "--with-bindings")
    assert operator.record == []
    assert managed.script.kinds()[-2:] == ["unbind", "deprovision"]


def test_credentials_are_nowhere_but_where_it_is_said(operator: Operator) -> None:
    operator.run("provision", "my-db", "steered", "small")
    quiet = operator.try_("bind", "my-db", "a")
    assert SECRET not in quiet.output
    assert SECRET not in json.dumps(operator.json("binding", "my-db", "a"))
    assert operator.json("binding", "my-db", "a", "--show-credentials")["connection"]["credentials"] == CREDENTIALS

    path = operator.home / "folder" / "credentials.json"
    assert SECRET not in operator.run("bind", "my-db", "b", "--write-credentials", str(path))
    assert json.loads(path.read_bytes()) == CREDENTIALS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    operator.run("binding", "my-db", "b", "--write-credentials", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    files = [
        each for each in operator.home.rglob("*") if each.is_file() and each != path and "broker.db" not in each.name
    ]
    assert len(files) >= 2
    assert [each for each in files if SECRET.encode() in each.read_bytes()] == []


def test_instances_lists_what_the_record_has(operator: Operator) -> None:
    operator.run("provision", "one", "steered", "small")
    operator.run("provision", "other", "steered", "large")
    operator.run("bind", "one", "key")
    rows = [line.split() for line in operator.run("instances").splitlines()]
    assert [row[:4] for row in rows[1:]] == [
        ["one", "steered", "small", "ready"],
        ["key", "ready", operator.record[0]["bindings"][0]["id"]],
        ["other", "steered", "large", "ready"],
    ]
    listed = [json.loads(line) for line in operator.run("instances", "--json").splitlines()]
    assert [each["name"] for each in listed] == ["one", "other"]
    assert operator.run("instances", "--url", f"{operator.url}/v2/") == operator.run("instances")
    assert operator.run("instances", "--url", "http://other.example").startswith("There are no instances")


def test_the_broker_of_an_instance_is_known_from_the_record(operator: Operator) -> None:
    operator.run("provision", "my-db", "steered", "small")
    elsewhere = operator.run("deprovision", "my-db", code=2, OPENBROKER_URL="http://other.example")
    assert f"my-db is not at http://other.example; the record has it at {operator.url}: say --url" in elsewhere
    operator.run("deprovision", "my-db", OPENBROKER_URL="")
    assert operator.record == []


def test_programs_read_json(operator: Operator) -> None:
    made = operator.json("provision", "my-db", "steered", "small", "--id", "chosen-id")
    assert made["instance"]["id"] == "chosen-id"
    assert made["instance"]["state"] == "ready"
    assert made["in_progress"] is False
    assert made["dashboard_url"] == f"{DASHBOARD}chosen-id"
    assert operator.json("instance", "my-db")["fetched"]["plan_id"] == SMALL
    assert operator.json("poll", "my-db") == {"last_operation": {"state": "succeeded"}}
    assert operator.json("deprovision", "my-db")["deleted"] is True


def test_the_record_may_be_elsewhere(operator: Operator) -> None:
    path = operator.home / "elsewhere.json"
    operator.run("provision", "my-db", "steered", "small", "--record", str(path))
    assert not operator.record_path.exists()
    assert "my-db" in operator.run("instances", OPENBROKER_RECORD=str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Path(f"{path}.lock").exists()
