"""Asynchronous operations from the command line: waiting, going on later, and being ended in between."""

from __future__ import annotations

import os
import pty
import re
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.managed.stage import Managed, wait_until
from tests.platform.odd import IDS, PLAN
from tests.platform_commands.operator import LIMIT, Operator
from tests.platform_commands.scripted import Scripted

from openbrokerapi.managed import Failed

MAKE = ("provision", "my-db", "steered", "small")
ODD = ("provision", "my-db", "name-of-offering", "name-of-plan-1")
IN_PROGRESS = (200, {"state": "in progress", "description": "Warming up: 40 %"})
SUCCEEDED = (200, {"state": "succeeded"})
FAILED = (200, {"state": "failed", "description": "No room."})
BEGUN = (202, {"operation": "op 1/2"})


def test_without_waiting_the_operation_is_recorded_and_poll_goes_on(operator: Operator, managed: Managed) -> None:
    with managed.script.held("provision"):
        begun = operator.run(*MAKE, "--no-wait")
        (entry,) = operator.record
        operation = entry["pending"]["operation"]
        assert begun == f"my-db: the broker goes on (operation {operation}). openbroker poll my-db waits for the end.\n"
        assert entry["state"] == "creating"
        assert "my-db" in operator.run("poll", "my-db", "--no-wait")
        assert operator.record == [entry]
        assert operator.json("poll", "my-db", "--no-wait")["in_progress"] is True
    managed.idle()
    assert operator.run("poll", "my-db") == "my-db is ready (steered, small).\n"
    assert operator.record[0]["state"] == "ready"
    assert "pending" not in operator.record[0]


def test_an_update_and_a_binding_that_go_on_are_ended_by_poll(operator: Operator, managed: Managed) -> None:
    operator.run(*MAKE)
    with managed.script.held("update"):
        operator.run("update", "my-db", "--plan", "large", "--no-wait")
        assert operator.record[0]["plan"]["name"] == "small"
    managed.idle()
    operator.run("poll", "my-db")
    assert operator.record[0]["plan"]["name"] == "large"
    with managed.script.held("bind"):
        operator.run("bind", "my-db", "my-key", "--no-wait")
    managed.idle()
    assert operator.run("poll", "my-db", "--binding", "my-key") == "my-key of my-db is ready.\n"
    with managed.script.held("deprovision"):
        operator.run("unbind", "my-db", "my-key")
        operator.run("deprovision", "my-db", "--no-wait")
        assert operator.record[0]["state"] == "deleting"
    managed.idle()
    assert operator.run("poll", "my-db") == "my-db is deleted.\n"
    assert operator.record == []


def test_what_the_broker_says_is_a_line_each_time_it_changes(broker: Scripted, at_broker: Operator) -> None:
    broker.answers("PUT instance", BEGUN)
    other = (200, {"state": "in progress", "description": "Cooling\x1b[31m down"})
    broker.answers("GET instance poll", IN_PROGRESS, IN_PROGRESS, (503, {}), other, SUCCEEDED)
    result = at_broker.try_(*ODD)
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "Warming up: 40 %",
        "asking again: poll instance: the broker answered 503",
        r"Cooling\x1b[31m down",
    ]
    # LOI-05: verbatim, and percent-encoded.
    assert all("operation=op%201%2F2" in sent.target for sent in broker.requests("GET instance poll"))


def test_an_operation_that_fails_is_cleaned_up_and_leaves_no_entry(operator: Operator, managed: Managed) -> None:
    managed.script.answers["provision"] = Failed("The machine is full.")
    said = operator.run(*MAKE, code=1)
    assert "the operation failed: The machine is full." in said
    assert "What it left was deleted." in said
    assert operator.record == []


def test_a_failed_update_leaves_the_old_plan_and_says_whether_the_instance_works(
    broker: Scripted, at_broker: Operator
) -> None:
    broker.answers("PUT instance", (201, {}))
    at_broker.run(*ODD)
    broker.answers("PATCH instance", BEGUN)
    broker.answers("GET instance poll", (200, {"state": "failed", "description": "No.", "instance_usable": False}))
    said = at_broker.run("update", "my-db", "--plan", "name-of-plan-2", code=1)
    assert "The broker says that my-db does not work until it is updated or deleted." in said
    (entry,) = at_broker.record
    assert (entry["state"], entry["usable"], entry["plan"]["id"]) == ("update failed", False, PLAN)
    # LOI-03: the old plan, until the update has ended.
    assert all(f"plan_id={PLAN}" in sent.target for sent in broker.requests("GET instance poll"))
    assert "not usable" in at_broker.run("bind", "my-db", "key", code=2)


def test_an_orphan_that_cannot_be_deleted_stays_in_the_record_and_says_so(
    broker: Scripted, at_broker: Operator
) -> None:
    broker.answers("PUT instance", BEGUN)
    broker.answers("GET instance poll", FAILED)
    meanwhile: list[str] = []

    def not_now() -> tuple[int, Any]:
        meanwhile.append(at_broker.record[0]["state"])
        return 500, {"description": "Not now."}

    broker.answers("DELETE instance", not_now)
    said = at_broker.run(*ODD, "--attempts", "1", code=1)
    assert "No room." in said
    assert "What it left could not be deleted after 1 attempts." in said
    assert "openbroker deprovision my-db deletes it." in said
    (entry,) = at_broker.record
    assert entry["state"] == "create failed"
    # A command that is killed while it cleans up leaves this.
    assert meanwhile == ["create failed"]
    assert "create failed, may be left at the broker" in at_broker.run("instances")
    assert "there is my-db already (create failed)" in at_broker.run(*ODD, code=2)

    broker.answers("DELETE instance", (200, {}))
    at_broker.run("deprovision", "my-db")
    assert at_broker.record == []
    (path,) = {sent.target.partition("?")[0] for sent in broker.requests("DELETE instance")}
    assert path.endswith(entry["id"])


def test_what_a_failed_deletion_leaves_is_deleted_again_and_that_is_no_failure(
    broker: Scripted, at_broker: Operator
) -> None:
    broker.answers("PUT instance", (201, {}))
    at_broker.run(*ODD)
    broker.answers("DELETE instance", (500, {}), BEGUN, (200, {}))
    broker.answers("GET instance poll", FAILED)
    assert at_broker.run("deprovision", "my-db") == "my-db is deleted.\n"
    assert at_broker.record == []
    assert len(broker.requests("DELETE instance")) == 3


def test_what_the_broker_has_lost_or_nobody_can_reach_can_be_taken_out_of_the_record(
    broker: Scripted, at_broker: Operator
) -> None:
    broker.answers("PUT instance", BEGUN)
    at_broker.run(*ODD, "--no-wait")
    broker.answers("GET instance poll", (404, {}))
    said = at_broker.run("poll", "my-db", code=1)
    assert "If the broker has lost it, openbroker deprovision my-db takes it out of the record." in said
    sent = len(broker.sent)
    assert at_broker.run("deprovision", "my-db", "--forget") == "my-db is not in the record any more.\n"
    assert (at_broker.record, len(broker.sent)) == ([], sent)


# --- ended in between ---


def started(operator: Operator, arguments: tuple[str, ...], until: Callable[[], Any], number: int) -> tuple[int, str]:
    """Run a command as a process until something is so, then end it with a signal."""
    process = operator.start(*arguments)
    try:
        wait_until(until)
        process.send_signal(number)
        _, errors = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.wait()
    return process.returncode, errors


def accepted(operator: Operator) -> bool:
    return operator.record_path.exists() and bool(operator.record[0]["pending"].get("accepted"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_command_that_is_ended_while_it_waits_leaves_the_operation_in_the_record(
    operator: Operator, managed: Managed, number: int, code: int
) -> None:
    with managed.script.held("provision"):
        ended, errors = started(operator, MAKE, lambda: accepted(operator), number)
        assert ended == code
        if number == signal.SIGINT:
            assert errors.splitlines()[-2:] == [
                "Interrupted.",
                "The broker goes on. openbroker poll my-db waits for the end.",
            ]
    managed.idle()
    assert operator.run("poll", "my-db") == "my-db is ready (steered, small).\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_command_that_is_ended_before_the_answer_leaves_the_id_and_the_same_command_goes_on(
    broker: Scripted, at_broker: Operator, number: int
) -> None:
    gone = threading.Event()

    def never() -> tuple[int, Any]:
        gone.wait(LIMIT)
        return 500, {}

    broker.answers("PUT instance", never, (200, {}))
    _, errors = started(at_broker, ODD, lambda: broker.requests("PUT instance"), number)
    gone.set()
    (entry,) = at_broker.record
    assert entry["pending"] == {"kind": "provision"}
    if number == signal.SIGINT:
        assert "Whether the broker got the request is not known. Give the same command again" in errors
    assert "creating, not answered" in at_broker.run("instances")
    other = at_broker.run("provision", "my-db", "name-of-offering", "name-of-plan-2", code=2)
    assert "was asked for as name-of-offering name-of-plan-1, and never answered" in other

    assert "my-db is ready" in at_broker.run(*ODD)
    first, second = (sent.target.partition("?")[0] for sent in broker.requests("PUT instance"))
    assert first == second
    assert first.endswith(entry["id"])


def test_a_repeated_request_that_is_refused_does_not_lose_the_id(broker: Scripted, at_broker: Operator) -> None:
    broker.answers("PUT instance", lambda: (_ for _ in ()).throw(OSError))
    broker.answers("DELETE instance", (500, {}))
    broker.handle_error = lambda *_: None  # type: ignore[method-assign]
    at_broker.run(*ODD, "--attempts", "1", code=1)
    (entry,) = at_broker.record
    assert entry["state"] == "create failed"
    lost = entry | {"state": "creating", "pending": {"kind": "provision"}}
    at_broker.record_path.write_text(
        at_broker.record_path.read_text().replace('"create failed"', '"creating", "pending": {"kind": "provision"}')
    )
    assert at_broker.record == [lost]
    broker.answers("PUT instance", (409, {"description": "Other parameters."}))
    assert "Other parameters." in at_broker.run(*ODD, code=1)
    assert at_broker.record == [lost]


def test_an_update_without_an_answer_is_to_be_repeated_for_nobody_can_tell(
    broker: Scripted, at_broker: Operator
) -> None:
    broker.answers("PUT instance", (201, {}))
    at_broker.run(*ODD)
    broker.answers("PATCH instance", lambda: (_ for _ in ()).throw(OSError))
    broker.handle_error = lambda *_: None  # type: ignore[method-assign]
    said = at_broker.run("update", "my-db", "--plan", "name-of-plan-2", code=1)
    assert "Whether the broker got the request is not known." in said
    assert at_broker.record[0]["state"] == "updating"
    broker.answers("GET instance poll", SUCCEEDED)
    assert "cannot be known, for it was never answered; do it again" in at_broker.run("poll", "my-db", code=1)
    assert (at_broker.record[0]["state"], at_broker.record[0]["plan"]["id"]) == ("ready", PLAN)
    broker.answers("PATCH instance", (200, {}))
    at_broker.run("update", "my-db", "--plan", "name-of-plan-2")
    assert at_broker.record[0]["plan"]["id"] != PLAN
    assert IDS["service_id"] == broker.requests("PATCH instance")[0].json["service_id"]


def test_on_a_terminal_a_bar_shows_what_the_broker_says(broker: Scripted, at_broker: Operator) -> None:
    broker.answers("PUT instance", BEGUN)
    go_on = threading.Event()
    broker.answers("GET instance poll", IN_PROGRESS, lambda: SUCCEEDED if go_on.is_set() else IN_PROGRESS)
    ours, theirs = pty.openpty()
    process = at_broker.start(*ODD, stderr=theirs)
    os.close(theirs)
    seen = ""
    try:
        deadline = time.monotonic() + LIMIT
        while "Warming up: 40 %" not in seen:
            assert time.monotonic() < deadline, seen
            seen += os.read(ours, 4096).decode(errors="replace")
        go_on.set()
        output, _ = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert re.search(r"━+.*0:00:0\d.*Warming up: 40 %", seen)
    assert (process.returncode, output) == (0, "my-db is ready (name-of-offering, name-of-plan-1).\n")
