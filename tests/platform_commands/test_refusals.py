"""What a command says when it cannot do what it was asked: it names what is wrong, and what to do."""

from __future__ import annotations

import json
import socket

import pytest
from tests.contract.hosts import CREDENTIALS
from tests.managed.stage import Managed
from tests.platform.odd import catalog
from tests.platform_commands.operator import Operator
from tests.platform_commands.scripted import Scripted

MAKE = ("provision", "my-db", "name-of-offering", "name-of-plan-1")


def test_who_mistypes_is_told_what_is_near(operator: Operator, managed: Managed) -> None:
    assert operator.run("provision", "my-db", "stered", "small", code=2) == (
        'Error: there is no offering "stered"; did you mean steered? There is steered\n'
    )
    assert 'no plan "Smal" of steered; did you mean small? There is small, large' in operator.run(
        "provision", "my-db", "steered", "Smal", code=2
    )
    operator.run("provision", "my-db", "steered", "small")
    assert "did you mean my-db?" in operator.run("deprovision", "mydb", code=2)
    operator.run("bind", "my-db", "my-key")
    assert "did you mean my-key?" in operator.run("unbind", "my-db", "mykey", code=2)
    assert managed.script.kinds() == ["provision", "bind"]


def test_parameters_that_break_the_schema_are_not_sent_unless_it_is_said(operator: Operator, managed: Managed) -> None:
    said = operator.run("provision", "my-db", "steered", "small", "-p", "size=marker-of-a-value", code=2)
    assert "Parameter size is not of type" in said
    assert "marker-of-a-value" not in said
    assert managed.script.calls == []
    assert not operator.record_path.exists()
    refused = operator.run(
        "provision", "my-db", "steered", "small", "-p", "size=marker-of-a-value", "--no-check", code=1
    )
    assert "the broker answered 400" in refused
    assert operator.record == []


def test_an_error_of_the_broker_is_told_with_its_code_words_identity_and_what_to_do(
    broker: Scripted, at_broker: Operator
) -> None:
    broker.answers("PUT instance", (422, {"error": "AsyncRequired", "description": "Only \x1b[1masync."}))
    said = at_broker.run(*MAKE, "--no-accepts-incomplete", code=1).splitlines()
    identity = broker.requests("PUT instance")[0].headers["x-broker-api-request-identity"]
    assert said == [
        r"Error: provision: the broker answered 422 AsyncRequired: Only \x1b[1masync.",
        f"Request identity: {identity}",
        "To do: leave out --no-accepts-incomplete.",
    ]
    assert "accepts_incomplete" not in broker.requests("PUT instance")[0].target
    assert at_broker.record == []
    found = at_broker.json(*MAKE, code=1)["error"]
    assert (found["status"], found["code"], found["description"]) == (422, "AsyncRequired", "Only \x1b[1masync.")


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        ((401, {}), "OPENBROKER_USERNAME"),
        ((412, {}), "2.17"),
        ((422, {"error": "ConcurrencyError"}), "openbroker poll"),
        ((422, {"error": "RequiresApp"}), "--app GUID"),
        ((422, {"error": "MaintenanceInfoConflict"}), "try again"),
        ((409, {}), "openbroker instance"),
        ((400, {}), "change what the broker names"),
    ],
)
def test_a_request_that_is_refused_leaves_no_entry(
    broker: Scripted, at_broker: Operator, answer: tuple[int, object], advice: str
) -> None:
    broker.answers("PUT instance", answer)
    said = at_broker.run(*MAKE, code=1)
    assert advice in said.partition("To do: ")[2]
    assert at_broker.record == []
    assert broker.requests("DELETE instance") == []


def test_wrong_credentials_are_refused_and_the_right_ones_are_asked_for(operator: Operator) -> None:
    said = operator.run("provision", "my-db", "steered", "small", code=1, OPENBROKER_PASSWORD="wrong-password")
    assert "the broker answered 401" in said
    assert "wrong-password" not in said
    asked = operator.try_(
        *("provision", "my-db", "steered", "small", "--username", CREDENTIALS.username),
        stdin=f"{CREDENTIALS.password}\n",
        OPENBROKER_PASSWORD="",
        OPENBROKER_USERNAME="",
    )
    assert asked.exit_code == 0
    assert CREDENTIALS.password not in asked.output
    assert CREDENTIALS.password not in operator.record_path.read_text()


def test_a_broker_that_is_away_ends_with_2_and_changes_nothing(operator: Operator) -> None:
    operator.run("provision", "my-db", "steered", "small")
    before = operator.record
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        said = operator.run("provision", "other", "steered", "small", code=2, OPENBROKER_URL=url)
        assert "To do: check the address, and that the broker runs." in said
        assert operator.record == before
        text = operator.record_path.read_text().replace(operator.url, url)
        operator.record_path.write_text(text)
        assert "was not reached" in operator.run("deprovision", "my-db", code=2, OPENBROKER_URL="")
        assert operator.record_path.read_text() == text


def test_what_the_catalog_does_not_offer_is_not_asked_for(broker: Scripted, at_broker: Operator) -> None:
    broker.answers("PUT instance", (201, {}))
    at_broker.run(*MAKE)
    less = {"bindings_retrievable": False, "instances_retrievable": False, "plan_updateable": False}
    broker.answers("GET /v2/catalog", (200, catalog(**less)))
    assert "cannot be changed" in at_broker.run("update", "my-db", "--plan", "name-of-plan-2", code=2)
    assert "cannot be rotated" in _bound(broker, at_broker)
    assert "bindings of name-of-offering cannot be fetched" in at_broker.run("binding", "my-db", "key", code=1)
    assert "cannot be fetched later: give --write-credentials" in at_broker.run("bind", "my-db", "other", code=2)
    shown = at_broker.try_("instance", "my-db")
    assert "this is what the record has" in shown.stderr
    assert broker.requests("GET instance") == []
    broker.answers("GET /v2/catalog", (200, catalog(bindable=False)))
    assert "not bindable" in at_broker.run("bind", "my-db", "other", code=2)
    assert "what is to be changed?" in at_broker.run("update", "my-db", code=2)


def _bound(broker: Scripted, at_broker: Operator) -> str:
    broker.answers("PUT binding", (201, {"credentials": {}}))
    at_broker.run("bind", "my-db", "key", "--show-credentials")
    return at_broker.run("rotate", "my-db", "key", "next", "--show-credentials", code=2)


def test_what_is_gone_counts_as_deleted(broker: Scripted, at_broker: Operator) -> None:
    broker.answers("PUT instance", (201, {}))
    broker.answers("PUT binding", (201, {}))
    at_broker.run(*MAKE)
    at_broker.run("bind", "my-db", "key")
    broker.answers("DELETE binding", (410, {}))
    broker.answers("DELETE instance", (410, {}))
    assert at_broker.run("unbind", "my-db", "key") == "key of my-db is deleted.\n"
    assert at_broker.run("deprovision", "my-db") == "my-db is deleted.\n"
    assert at_broker.record == []


def test_the_context_the_user_and_the_version_are_sent_as_they_are_said(broker: Scripted, at_broker: Operator) -> None:
    plan = {"maintenance_info": {"version": "1.2.0"}}
    broker.answers("GET /v2/catalog", (200, catalog(plan=plan)))
    broker.answers("PUT instance", (201, {}))
    user = 'cloudfoundry {"user_id": "u-1"}'
    at_broker.run(*MAKE, "--organization", "org-1", "--space", "space-1", "--originating-identity", user)
    (sent,) = broker.requests("PUT instance")
    assert (sent.json["organization_guid"], sent.json["space_guid"]) == ("org-1", "space-1")
    assert sent.json["context"] == {
        "platform": "cloudfoundry",
        "organization_guid": "org-1",
        "space_guid": "space-1",
        "instance_name": "my-db",
    }
    assert sent.json["maintenance_info"] == {"version": "1.2.0"}
    assert sent.headers["x-broker-api-originating-identity"].startswith("cloudfoundry ")

    broker.answers("PATCH instance", (200, {}))
    at_broker.run("update", "my-db", "--maintenance-version", "1.3.0", "--context", '{"note": 1}')
    (patched,) = broker.requests("PATCH instance")
    assert patched.json["context"]["platform"] == "cloudfoundry"
    assert patched.json["context"]["note"] == 1
    assert patched.json["maintenance_info"] == {"version": "1.3.0"}
    assert patched.json["previous_values"]["maintenance_info"] == {"version": "1.2.0"}
    assert at_broker.record[0]["maintenance_version"] == "1.3.0"
    wrong = at_broker.run(*("update", "my-db", "-p", "a=1", "--originating-identity", "cloudfoundry 5"), code=2)
    assert "write the platform, a space, and a JSON object" in wrong
    broker.answers("PUT binding", (201, {}))
    at_broker.run("bind", "my-db", "key", "--app", "app-1", "--route", "https://route.example")
    (bound,) = broker.requests("PUT binding")
    assert bound.json["bind_resource"] == {"app_guid": "app-1", "route": "https://route.example"}
    assert json.loads(at_broker.run("instances", "--json"))["organization"] == "org-1"
