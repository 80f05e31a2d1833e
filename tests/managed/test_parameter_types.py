"""Types of parameters: the schema in the catalog, the value that the author gets, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

import msgspec
import pytest
from tests.contract.expectations import assert_refused
from tests.managed.stage import LARGE, Managed, Script, Stage, Steered, plans

SECRET = "marker-of-a-secret"


class Struct(msgspec.Struct, forbid_unknown_fields=True):
    size: Annotated[int, msgspec.Meta(ge=1, le=5)]
    kind: Literal["disk", "memory"] = "disk"
    notes: dict[str, str] = {}


@dataclasses.dataclass
class Dataclass:
    size: int
    kind: str = "disk"

    def __post_init__(self) -> None:
        if self.kind == "tape":
            raise ValueError("kind: there are no tapes any more")
        if self.size == 3:
            raise TypeError("size: 3 is not offered")


class Role(msgspec.Struct):
    role: str = "reader"


def offering(script: Script, shape: Any, **more: Any) -> Steered:
    made: Steered = type("Typed", (Steered,), {"parameters": shape, **more})(script)
    return made


def schemas(managed: Managed, plan: int = 0) -> dict[str, Any]:
    entry: dict[str, Any] = managed.send("GET", "catalog").json["services"][0]["plans"][plan]
    found: dict[str, Any] = entry.get("schemas", {})
    return found


@pytest.mark.parametrize("shape", [Struct, Dataclass])
@pytest.mark.rule("PROV-12")
def test_the_author_gets_the_type(stage: Stage, script: Script, shape: Any) -> None:
    managed = stage(offering(script, shape))
    assert managed.provision(parameters={"size": 2}).status == 201
    assert script.calls[-1].instance.parameters == shape(size=2)
    # What is fetched is what was sent, and nothing of the type's.
    assert managed.fetch().json["parameters"] == {"size": 2}
    managed.deprovision()
    assert script.calls[-1].instance.parameters == shape(size=2)


def test_without_a_type_the_author_gets_what_was_sent(managed: Managed, script: Script) -> None:
    managed.provision(parameters={"any": [1, {"thing": None}]})
    assert script.calls[-1].instance.parameters == {"any": [1, {"thing": None}]}
    assert schemas(managed) == {}


def test_a_pydantic_model_is_a_type_too(stage: Stage, script: Script) -> None:
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Model", size=(int, ...), token=(Literal["a", "b"], "a"))
    managed = stage(offering(script, model))
    assert schemas(managed)["service_instance"]["create"]["parameters"]["required"] == ["size"]
    managed.provision(parameters={"size": 2})
    assert script.calls[-1].instance.parameters == model(size=2)
    assert managed.fetch().json["parameters"] == {"size": 2}
    answer = managed.provision("instance-2", parameters={"size": 2, "token": SECRET})
    assert_refused(answer, 400, "InvalidParameters")
    assert "token" in answer.json["description"]
    assert SECRET not in answer.json["description"]


@pytest.mark.rule("SCH-04", "SCH-05")
def test_the_catalog_has_the_schemas_of_the_types(stage: Stage, script: Script) -> None:
    managed = stage(offering(script, Struct, bind_parameters=Role))
    found = schemas(managed)
    create = found["service_instance"]["create"]["parameters"]
    update = found["service_instance"]["update"]["parameters"]
    bind = found["service_binding"]["create"]["parameters"]
    for schema in (create, update, bind):
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["type"] == "object"
    assert create["required"] == ["size"]
    # UPD-11: an update names what it changes only.
    assert "required" not in update
    assert create["properties"]["size"] == {"type": "integer", "minimum": 1, "maximum": 5}
    assert create["additionalProperties"] is False
    assert set(bind["properties"]) == {"role"}


def test_an_update_that_replaces_needs_all_that_is_required(stage: Stage, script: Script) -> None:
    managed = stage(offering(script, Struct, merge_parameters=False))
    assert schemas(managed)["service_instance"]["update"]["parameters"]["required"] == ["size"]
    managed.provision(parameters={"size": 2})
    assert_refused(managed.update(plan_id=LARGE, parameters={"kind": "memory"}), 400)


def test_a_plan_may_have_types_of_its_own(stage: Stage, script: Script) -> None:
    managed = stage(offering(script, Struct, plans=plans({"parameters": Role, "bind_parameters": Role})))
    assert set(schemas(managed)["service_instance"]["create"]["parameters"]["properties"]) == {"role"}
    assert set(schemas(managed, 1)["service_instance"]["create"]["parameters"]["properties"]) >= {"size"}
    managed.provision(parameters={"role": "admin"})
    assert script.calls[-1].instance.parameters == Role("admin")
    assert_refused(managed.provision("instance-2", plan_id=LARGE, parameters={"role": "admin"}), 400)


@pytest.mark.rule("PROV-12", "PROV-24", "ERR-16")
@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"size": SECRET}, "size"),
        ({"size": 9}, "size"),
        ({}, "size"),
        ({"size": 2, "kind": SECRET}, "kind"),
        ({"size": 2, "notes": {"one": 5}}, "notes"),
        ({"size": 2, "colour": SECRET}, "colour"),
    ],
)
def test_what_is_not_of_the_type_is_refused_by_name_and_never_by_value(
    stage: Stage, script: Script, parameters: dict[str, Any], named: str
) -> None:
    managed = stage(offering(script, Struct))
    answer = managed.provision(parameters=parameters)
    assert_refused(answer, 400)
    assert named in answer.json["description"]
    assert SECRET not in answer.json["description"]
    assert (script.calls, managed.fetch().status) == ([], 404)


@pytest.mark.parametrize(
    ("parameters", "said"), [({"size": 1, "kind": "tape"}, "no tapes"), ({"size": 3}, "not offered")]
)
def test_what_the_type_itself_refuses_is_told_in_its_words(
    stage: Stage, script: Script, parameters: dict[str, Any], said: str
) -> None:
    managed = stage(offering(script, Dataclass))
    answer = managed.provision(parameters=parameters)
    assert_refused(answer, 400, "InvalidParameters")
    assert said in answer.json["description"]
    assert script.calls == []


@pytest.mark.rule("BIND-28", "BIND-36", "BIND-12")
def test_the_parameters_of_a_binding_have_a_type(stage: Stage, script: Script) -> None:
    managed = stage(offering(script, None, bind_parameters=Role))
    managed.provision()
    assert managed.bind(parameters={"role": "admin"}).status == 201
    assert script.calls[-1].binding.parameters == Role("admin")
    answer = managed.bind("binding-2", parameters={"role": 5})
    assert_refused(answer, 400)
    assert "role" in answer.json["description"]
    assert script.kinds() == ["provision", "bind"]


@pytest.mark.rule("GETI-09", "GETI-10", "GETB-11", "GETB-12")
def test_secret_parameters_are_left_out_of_a_fetch(stage: Stage, script: Script) -> None:
    managed = stage(offering(script, None, secret_parameters=("password",)))
    managed.provision(parameters={"size": 1, "password": SECRET})
    managed.bind(parameters={"password": SECRET})
    assert managed.fetch().json["parameters"] == {"size": 1}
    assert "parameters" not in managed.fetch(None, "binding-1").json
    assert managed.provision(parameters={"size": 1, "password": SECRET}).status == 200
    assert managed.provision(parameters={"size": 1, "password": "other"}).status == 409
    assert script.calls[0].instance.parameters["password"] == SECRET
