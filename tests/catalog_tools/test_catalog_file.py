"""A catalog from a file: what it becomes, and what is refused with which words."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.catalog_tools.valid_catalog import valid_catalog, without

from openbrokerapi.catalog import (
    MaintenanceInfo,
    Schemas,
    Service,
    ServiceDashboardClient,
    ServiceMetadata,
    ServicePlan,
    ServicePlanCost,
    ServicePlanMetadata,
)
from openbrokerapi.catalog_file import CatalogFileError, load_catalog, read_document
from openbrokerapi.protocol.catalog_document import encode_catalog

SMALL = """\
services:
  - name: pg
    id: 766fa866-a950-4b12-adff-c11fa4cf8fdc
    description: Databases.
    bindable: true
    plans:
      - name: small
        id: 024f3452-67f8-40bc-a724-a20c4ea24b1c
        description: A small one.
        free: false
        bindable: false
"""


@pytest.fixture(params=["catalog.json", "catalog.yaml", "catalog.yml", "CATALOG.YAML"])
def catalog_path(request, tmp_path) -> Path:
    path: Path = tmp_path / request.param
    document = valid_catalog()
    path.write_text(json.dumps(document) if path.suffix == ".json" else yaml.safe_dump(document), encoding="utf-8")
    return path


def written(path: Path, text: str | bytes, name: str = "catalog.yaml") -> Path:
    file = path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def refusal(path: Path) -> str:
    with pytest.raises(CatalogFileError) as refused:
        load_catalog(path)
    assert str(refused.value).startswith(str(path))
    return str(refused.value).removeprefix(str(path))


def always_said(document: dict[str, Any]) -> dict[str, Any]:
    """Add what a Service object always says, so that both can be compared."""
    for offering in document["services"]:
        for key in ("plan_updateable", "instances_retrievable", "bindings_retrievable"):
            offering.setdefault(key, False)
    return document


def test_a_file_becomes_the_same_catalog(catalog_path):
    assert json.loads(encode_catalog(load_catalog(catalog_path))) == always_said(valid_catalog())


def test_the_parts_of_a_catalog_become_their_objects(catalog_path):
    offering = load_catalog(catalog_path)[0]
    plan = offering.plans[0]
    assert isinstance(plan.metadata, ServicePlanMetadata)
    assert plan.metadata.costs
    kinds: dict[type, object] = {
        Service: offering,
        ServiceMetadata: offering.metadata,
        ServiceDashboardClient: offering.dashboard_client,
        ServicePlan: plan,
        ServicePlanCost: plan.metadata.costs[0],
        Schemas: plan.schemas,
        MaintenanceInfo: plan.maintenance_info,
    }
    assert all(type(value) is kind for kind, value in kinds.items())


def test_a_list_of_offerings_alone_is_a_catalog(tmp_path):
    path = written(tmp_path, yaml.safe_dump(valid_catalog()["services"]))
    assert [offering.name for offering in load_catalog(path)] == ["fake-service", "Fake.service"]


@pytest.mark.rule("PLAN-08", "PLAN-09")
def test_false_is_kept_and_what_is_not_said_stays_unsaid(tmp_path):
    plans = json.loads(encode_catalog(load_catalog(written(tmp_path, SMALL))))["services"][0]["plans"]
    assert plans == [
        {
            "name": "small",
            "id": "024f3452-67f8-40bc-a724-a20c4ea24b1c",
            "description": "A small one.",
            "free": False,
            "bindable": False,
        }
    ]


def test_fields_that_the_specification_does_not_know_are_kept(tmp_path):
    path = written(tmp_path, SMALL + "        x-vendor: {a: [1]}\n")
    assert json.loads(encode_catalog(load_catalog(path)))["services"][0]["plans"][0]["x-vendor"] == {"a": [1]}


def test_anchors_and_merges_of_yaml_can_be_used(tmp_path):
    text = SMALL.replace("- name: small", "- &small\n        name: small")
    text += "      - <<: *small\n        name: big\n        id: 0f4008b5-1111-4111-8111-dace631cd648\n"
    plans = load_catalog(written(tmp_path, text))[0].plans
    assert [(plan.name, plan.free) for plan in plans] == [("small", False), ("big", False)]


def test_a_byte_order_mark_is_no_part_of_the_catalog(tmp_path):
    assert load_catalog(written(tmp_path, b"\xef\xbb\xbf" + SMALL.encode()))[0].name == "pg"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SMALL + "        free: true\n", ', line 12: the key "free" is written twice, here and in line 10; remove one'),
        (
            SMALL + "        metadata: {released: 2026-11-23}\n",
            ", line 12: 2026-11-23 is read as a date by YAML; put it in quotes",
        ),
        (
            SMALL + "        metadata:\n          size: .nan\n",
            ", line 13: .nan is no number in JSON; put it in quotes, or write a number",
        ),
        (
            SMALL + "        metadata: {size: -.INF}\n",
            ", line 12: -.INF is no number in JSON; put it in quotes, or write a number",
        ),
        (
            SMALL + "        metadata: {size: 1.0e+400}\n",
            ", line 12: 1.0e+400 is no number in JSON; put it in quotes, or write a number",
        ),
        (
            SMALL + "        metadata: {backup: 22:30}\n",
            ", line 12: 22:30 is read as a number to the base 60 by YAML; put it in quotes",
        ),
        (SMALL + "        metadata: {on: 1}\n", ", line 12: the key on is not a string in YAML; put it in quotes"),
        (SMALL + "        metadata: {[1]: 1}\n", ", line 12: the key this is not a string in YAML; put it in quotes"),
        (
            SMALL + "        metadata: {a: !!set {b}}\n",
            ", line 12: this is a set, which JSON does not have; write a list",
        ),
        (
            SMALL + "        metadata: &m {a: *m}\n",
            ", line 12: an alias leads back to what it stands in; write it out",
        ),
        (
            SMALL + "        bindable: [\n",
            ", line 13: is not YAML: expected the node content, but found '<stream end>'",
        ),
        (
            SMALL + "        metadata: !!python/object:os.system {}\n",
            (
                ", line 12: is not YAML: could not determine a constructor for the tag "
                "'tag:yaml.org,2002:python/object:os.system'"
            ),
        ),
        (SMALL + "---\na: b\n", ", line 12: is not YAML: but found another document"),
        ("", ': is empty; write a mapping with the key "services"'),
        ("text", ': holds no catalog; write a mapping with the key "services"'),
        (b"a: \xff", ": is not UTF-8; save it as UTF-8"),
        (b"a: \x07", ": is not YAML: the character number 4 is not allowed: special characters are not allowed"),
        ("[" * 200_000, ": is nested too deep; a catalog needs no more than a few dozen levels"),
        (f"a: {'1' * 5000}", ": holds a number with thousands of digits; write a smaller one"),
    ],
)
def test_yaml_that_is_not_what_it_seems_is_refused_with_its_line(tmp_path, text, message):
    assert refusal(written(tmp_path, text)) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": [],\n"a": []}', ': the key "a" is written twice in one object; remove one of the two'),
        ('{"services": []\n', ", line 2: is not JSON: Expecting ',' delimiter (column 1)"),
        ('{"a": NaN}', ": NaN is no number in JSON; put it in quotes, or write a number"),
        ('{"a": 1e400}', ": 1e400 is no number in JSON; put it in quotes, or write a number"),
        ('{"a": %s}' % ("1" * 5000), ": holds a number with thousands of digits; write a smaller one"),
        ("[" * 200_000, ": is nested too deep; a catalog needs no more than a few dozen levels"),
        ("5", ': holds no catalog; write a mapping with the key "services"'),
    ],
)
def test_json_that_is_not_what_it_seems_is_refused(tmp_path, text, message):
    assert refusal(written(tmp_path, text, "catalog.json")) == message


def test_a_number_of_json_that_is_finite_is_read(tmp_path):
    path = written(tmp_path, '{"services": [], "a": 1.5e3}', "catalog.json")
    assert read_document(path) == {"services": [], "a": 1500.0}


def test_aliases_that_make_a_small_file_a_giant_are_refused(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    message = refusal(written(tmp_path, "\n".join(lines)))
    assert message == ", line 6: aliases make this more than a million values; write a smaller catalog"


def test_a_file_that_is_not_there_is_said(tmp_path):
    assert refusal(tmp_path / "none.yaml") == ": cannot be read: No such file or directory"


def test_a_file_of_another_kind_is_refused_by_its_name(tmp_path):
    message = ": is no catalog file by its name; use a name that ends in .json, .yaml or .yml"
    assert refusal(written(tmp_path, SMALL, "catalog.toml")) == message


@pytest.mark.rule("PLAN-06")
@pytest.mark.parametrize(("prefix", "line"), [("services:\n", 7), ("", 6)])
def test_a_catalog_that_breaks_a_must_is_refused_with_its_line(tmp_path, prefix, line):
    text = prefix + SMALL.removeprefix("services:\n").replace("        description: A small one.\n", "")
    assert refusal(written(tmp_path, text)) == (
        f", line {line}: services[0].plans[0].description (offering pg, plan small) "
        "is missing; add it: a non-empty string (PLAN-06)"
    )


def test_a_catalog_that_breaks_only_a_should_is_loaded(tmp_path):
    path = written(tmp_path, SMALL.replace("024f3452-67f8-40bc-a724-a20c4ea24b1c", "small"))
    assert load_catalog(path)[0].plans[0].id == "small"


def test_a_document_can_be_read_without_its_rules(tmp_path):
    document = valid_catalog()
    without("services", 0, "plans")(document)
    assert read_document(written(tmp_path, yaml.safe_dump(document))) == document


def test_a_field_called_self_is_refused(tmp_path):
    assert refusal(written(tmp_path, SMALL + "        self: 1\n")) == ': a field is called "self"; give it another name'
