"""Parameters against the schemas of the plan: drafts, references, hostile patterns, and what the message says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract import ten
from tests.contract.brokers import RecordingBroker
from tests.contract.expectations import assert_refused, reached
from tests.contract.hosts import Answer, Platform

from openbrokerapi.service_broker import Schemas

SECRET = "tr0ub4dor-the-secret"
NUMBER = 918273645
DRAFTS = {
    "4": "http://json-schema.org/draft-04/schema#",
    "6": "http://json-schema.org/draft-06/schema#",
    "7": "http://json-schema.org/draft-07/schema#",
    "2019-09": "https://json-schema.org/draft/2019-09/schema",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}
#: What only this draft and those after it know, a value that it refuses, and one that it takes.
OF_THE_DRAFT: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "4": ({"type": "integer", "minimum": 3, "exclusiveMinimum": True}, 3, 4),
    "6": ({"type": "integer", "exclusiveMinimum": 3}, 3, 4),
    "7": ({"if": {"const": 1}, "then": False}, 1, 2),
    "2019-09": ({"type": "object", "dependentRequired": {"a": ["b"]}}, {"a": 1}, {"a": 1, "b": 1}),
    "2020-12": ({"type": "array", "prefixItems": [{"type": "string"}]}, [1], ["a"]),
}
in_each_draft = pytest.mark.parametrize("draft", DRAFTS)
with_parameters = ten.of(ten.WITH_BODY)


def schema(draft: str = "7", **keywords: Any) -> dict[str, Any]:
    return {"$schema": DRAFTS[draft], "type": "object", **keywords}


def use(broker: RecordingBroker, parameters: Any) -> None:
    """Let the plan have `parameters` as the schema of all three requests."""
    held = {"parameters": parameters}
    broker.offerings[0].plans[0].schemas = Schemas({"create": held, "update": held}, {"create": held})


def ask(platform: Platform, sent: ten.Sent, parameters: Any) -> Answer:
    return platform.send(sent.method, sent.target, {**sent.body, **plan_of(sent), "parameters": parameters})


def plan_of(sent: ten.Sent) -> dict[str, str]:
    # An update need not name the plan; here it does, since the schema is that of a plan.
    return {"plan_id": ten.PROVISIONING.body["plan_id"]} if sent is ten.UPDATING else {}


@pytest.mark.rule("PROV-12", "UPD-12", "BIND-28")
@in_each_draft
@with_parameters
def test_parameters_are_held_against_a_schema_of_each_draft(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent, draft: str
) -> None:
    size = {"type": "integer", "maximum": 10}
    use(recording, schema(draft, properties={"size": size}, required=["size"], additionalProperties=False))
    for wrong in ({"size": 11}, {"size": "a"}, {}, {"size": 1, "more": 1}):
        assert_refused(ask(platform, sent, wrong), 400)
    assert recording.calls == []
    assert ask(platform, sent, {"size": 10}).status == sent.made
    assert reached(recording) == [sent.name]


@pytest.mark.rule("PROV-12")
@in_each_draft
def test_the_keywords_of_each_draft_mean_what_they_mean_there(
    platform: Platform, recording: RecordingBroker, draft: str
) -> None:
    keywords, wrong, right = OF_THE_DRAFT[draft]
    use(recording, schema(draft, properties={"value": keywords}))
    assert_refused(ask(platform, ten.PROVISIONING, {"value": wrong}), 400)
    assert ask(platform, ten.PROVISIONING, {"value": right}).status == 201


@pytest.mark.rule("PROV-12")
@in_each_draft
@pytest.mark.parametrize("keyword", ["definitions", "$defs"])
def test_references_inside_the_schema_are_followed(
    platform: Platform, recording: RecordingBroker, draft: str, keyword: str
) -> None:
    tree = {"type": "object", "properties": {"next": {"$ref": f"#/{keyword}/tree"}, "size": {"type": "integer"}}}
    use(recording, schema(draft, properties={"root": {"$ref": f"#/{keyword}/tree"}}, **{keyword: {"tree": tree}}))
    deep: dict[str, Any] = {"root": {"next": {"next": {"size": "big"}}}}
    answer = ask(platform, ten.PROVISIONING, deep)
    assert_refused(answer, 400)
    assert "root.next.next.size" in answer.json["description"]
    deep["root"]["next"]["next"]["size"] = 3
    assert ask(platform, ten.PROVISIONING, deep).status == 201


@pytest.mark.rule("PROV-12", "BIND-28")
def test_absent_parameters_are_empty_ones_but_unchanged_in_an_update(
    platform: Platform, recording: RecordingBroker
) -> None:
    use(recording, schema(required=["size"]))
    for sent in (ten.PROVISIONING, ten.BINDING_UP):
        assert_refused(sent.by(platform), 400)
    body = {**ten.UPDATING.body, **plan_of(ten.UPDATING)}
    assert platform.send("PATCH", ten.UPDATING.target, body).status == 200
    assert reached(recording) == ["update"]


class Listening:
    """A server that counts who connects."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._addresses: list[Any] = []
        self._accepted = threading.Condition()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, address = self._listening.accept()
            except OSError:
                return
            connection.close()
            with self._accepted:
                self._addresses.append(address)
                self._accepted.notify()

    def connections(self) -> int:
        """Count the connections of others: whoever came before our own has been seen when that one has."""
        with socket.create_connection(("127.0.0.1", self.port)) as own, self._accepted:
            address = own.getsockname()
            assert self._accepted.wait_for(lambda: address in self._addresses, 20)
            return self._addresses.index(address)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@pytest.fixture
def listening() -> Iterator[Listening]:
    listening = Listening()
    yield listening
    listening.close()


def test_the_listening_server_would_notice(listening: Listening) -> None:
    assert listening.connections() == 0
    socket.create_connection(("127.0.0.1", listening.port)).close()
    assert listening.connections() == 2  # the first count was a connection, too


@pytest.mark.rule("SCH-05")
@in_each_draft
@pytest.mark.parametrize("keyword", ["$ref", "$schema"])
def test_no_reference_out_of_the_schema_is_ever_fetched(
    platform: Platform, recording: RecordingBroker, listening: Listening, tmp_path: Path, draft: str, keyword: str
) -> None:
    (tmp_path / "never.json").write_text('{"type": "string"}', encoding="utf-8")
    outside = [
        f"http://127.0.0.1:{listening.port}/schema.json",
        f"http://127.0.0.1:{listening.port}/schema.json#/definitions/a",
        (tmp_path / "never.json").as_uri(),
        "never.json",
    ]
    for uri in outside:
        use(recording, schema(draft, properties={"size": {keyword: uri}}))
        # What is behind the reference would refuse the number: that it is taken shows that nobody looked.
        assert ask(platform, ten.PROVISIONING, {"size": 3}).status == 201, uri
        use(recording, {**schema(draft), keyword: uri})
        assert ask(platform, ten.PROVISIONING, {"size": 3}).status == 201, uri
    assert listening.connections() == 0


#: Each refuses SECRET or NUMBER in its own words.
REFUSALS: list[tuple[dict[str, Any], Any]] = [
    ({"type": "integer"}, SECRET),
    ({"type": ["integer", "null"]}, SECRET),
    ({"enum": ["a", "b"]}, SECRET),
    ({"const": "a"}, SECRET),
    ({"pattern": "^[0-9]+$"}, SECRET),
    ({"pattern": "^(?=[0-9])"}, SECRET),
    ({"minLength": 100}, SECRET),
    ({"maxLength": 3}, SECRET),
    ({"format": "uuid", "pattern": "^$"}, SECRET),
    ({"maximum": 3}, NUMBER),
    ({"minimum": NUMBER + 1}, NUMBER),
    ({"multipleOf": 7}, NUMBER),
    ({"not": {"type": "string"}}, SECRET),
    ({"not": {"const": SECRET}}, SECRET),
    ({"anyOf": [{"type": "integer"}, {"const": "a"}]}, SECRET),
    ({"oneOf": [{"type": "integer"}, {"const": "a"}]}, SECRET),
    ({"allOf": [{"type": "integer"}]}, SECRET),
    ({"if": True, "then": {"const": "a"}}, SECRET),
    ({"items": {"type": "integer"}}, [SECRET]),
    ({"maxItems": 1}, [SECRET, NUMBER]),
    ({"uniqueItems": True}, [SECRET, SECRET]),
    ({"contains": {"type": "integer"}}, [SECRET]),
    ({"items": [{"type": "string"}], "additionalItems": False}, [SECRET, SECRET]),
    ({"required": ["b"]}, {"a": SECRET}),
    ({"additionalProperties": False}, {"a": SECRET}),
    ({"additionalProperties": {"type": "integer"}}, {"a": SECRET}),
    ({"patternProperties": {"^a": {"type": "integer"}}}, {"a": SECRET}),
    ({"minProperties": 2}, {"a": SECRET}),
    ({"dependencies": {"a": ["b"]}}, {"a": SECRET}),
]


@pytest.mark.rule("PROV-12", "UPD-12", "BIND-28")
@with_parameters
def test_the_message_names_the_parameter_and_never_the_value(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    for keywords, value in REFUSALS:
        use(recording, schema(properties={"outer": {"properties": {"inner": keywords}}}))
        answer = ask(platform, sent, {"outer": {"inner": value}})
        assert_refused(answer, 400)
        description = answer.json["description"]
        assert "outer.inner" in description, keywords
        assert len(description) > len("Parameter outer.inner .") + 5, keywords
        if keywords.get("not") != {"const": SECRET}:  # there the catalog says it, which anybody may read
            assert SECRET not in description, keywords
        if keywords.get("minimum") != NUMBER + 1:
            assert str(NUMBER) not in description, keywords
    assert recording.calls == []


def test_the_words_for_the_commonest_mistakes(platform: Platform, recording: RecordingBroker) -> None:
    use(
        recording,
        schema(
            properties={"size": {"type": "integer", "maximum": 10}, "mode": {"enum": ["a", "b"]}},
            required=["size"],
            additionalProperties=False,
        ),
    )
    said = {
        "size": ({"size": SECRET}, 'Parameter size is not of type "integer".'),
        "mode": ({"size": 1, "mode": SECRET}, 'Parameter mode is not one of "a" or "b".'),
        "maximum": ({"size": 11}, "Parameter size is greater than the maximum of 10."),
        "missing": ({}, 'Parameters: "size" is a required property.'),
    }
    for parameters, sentence in said.values():
        assert ask(platform, ten.PROVISIONING, parameters).json["description"] == sentence
    answer = ask(platform, ten.PROVISIONING, {"size": 1, "colour": SECRET})
    assert "colour" in answer.json["description"]


def test_several_mistakes_are_told_together_but_not_a_thousand(platform: Platform, recording: RecordingBroker) -> None:
    use(recording, schema(properties={name: {"type": "integer"} for name in ("a", "b")}))
    description = ask(platform, ten.PROVISIONING, {"a": "x", "b": "y"}).json["description"]
    assert "Parameter a " in description
    assert "Parameter b " in description
    use(recording, schema(additionalProperties={"type": "integer"}))
    description = ask(platform, ten.PROVISIONING, {f"p{number}": "x" for number in range(1000)}).json["description"]
    assert len(description) < 1000


HOSTILE = "a" * 5000 + "!"


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|a)*$", "^(?=(a+)+$)", r"^(a+)+\1$", "^(?:(?=a)a+)+$", "^(a?){50}a{50}(?!b)$"]
)
def test_a_pattern_that_would_search_for_ever_ends_soon(
    platform: Platform, recording: RecordingBroker, pattern: str
) -> None:
    use(recording, schema(properties={"name": {"type": "string", "pattern": pattern}}))
    done: list[int] = []
    asking = threading.Thread(
        target=lambda: done.append(ask(platform, ten.PROVISIONING, {"name": HOSTILE}).status), daemon=True
    )
    asking.start()
    # Where the search holds the interpreter, this never returns; then the limit of the whole suite ends it.
    asking.join(10)  # seconds; to try all the ways takes longer than the universe is old
    assert done == [400]
    assert recording.calls == []


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "no such type"},
        {"type": 7},
        {"properties": {"size": {"pattern": "("}}},
        {"properties": []},
        {"required": "size"},
        {"$ref": "#/definitions/nowhere"},
        {"$schema": 7},
        {"$schema": "no uri"},
        [],
        "text",
        7,
        False,
    ],
    ids=repr,
)
@with_parameters
def test_a_broken_schema_of_the_catalog_is_not_held_against_the_request(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent, broken: Any
) -> None:
    use(recording, broken)
    answer = ask(platform, sent, {"size": 3})
    # `false` is a schema, and takes nothing.
    assert answer.status == (400 if broken is False else sent.made)
    assert platform.send("GET", "/v2/catalog").status == 200


@pytest.mark.rule("PROV-12")
def test_a_schema_that_changes_at_run_time_holds_from_the_next_request_on(
    platform: Platform, recording: RecordingBroker
) -> None:
    use(recording, schema(properties={"size": {"type": "integer"}}))
    assert_refused(ask(platform, ten.PROVISIONING, {"size": "big"}), 400)
    recording.offerings[0].plans[0].schemas.service_instance["create"]["parameters"]["properties"]["size"] = {}
    assert ask(platform, ten.PROVISIONING, {"size": "big"}).status == 201
