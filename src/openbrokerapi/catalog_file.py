"""A catalog from a YAML or JSON file.

YAML is read strictly: what a YAML reader silently makes something else of (a key written twice, a date, a number that
JSON lacks) is refused, with the line and with what to write instead.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

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
from openbrokerapi.protocol.catalog_rules import check

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from openbrokerapi.protocol.catalog_rules import Finding

_MOST_NODES = 1_000_000
_MOST_FINDINGS = 10

_QUOTE = "put it in quotes"
_REFUSED_TAGS = {
    "tag:yaml.org,2002:timestamp": f"is read as a date by YAML; {_QUOTE}",
    "tag:yaml.org,2002:binary": "is binary data, which JSON does not have; write a string",
    "tag:yaml.org,2002:set": "is a set, which JSON does not have; write a list",
    "tag:yaml.org,2002:omap": "is an ordered mapping, which JSON does not have; write a mapping",
    "tag:yaml.org,2002:pairs": "is a list of pairs, which JSON does not have; write a mapping",
}
_FLOAT = "tag:yaml.org,2002:float"
_NUMBERS = (_FLOAT, "tag:yaml.org,2002:int")
_STRING = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"


class CatalogFileError(ValueError):
    """A catalog file cannot be used; the message names the file, the line where known, and what to change."""


def load_catalog(path: str | os.PathLike[str]) -> list[Service]:
    """Load the offerings of a catalog from a YAML or JSON file.

    The file has the fields of the specification under their names: a mapping with `services`, or the list of the
    offerings alone. Fields that the specification does not know are kept.

    Args:
        path: A file whose name ends in `.json`, `.yaml` or `.yml`.

    Returns:
        The offerings, as a broker's `catalog()` returns them. What the file does not say is left unsaid.

    Raises:
        CatalogFileError: The file cannot be read, or its catalog breaks a MUST of the specification.

    Specification: section "Catalog Management".
    """
    source = _Source(Path(path))
    document = source.document()
    broken = [finding for finding in check(document) if finding.level == "MUST"]
    if broken:
        raise CatalogFileError("\n".join(source.sentence(finding) for finding in broken[:_MOST_FINDINGS]))
    try:
        return [_service(offering) for offering in document["services"]]
    except TypeError:  # a field called like Python's own first argument
        raise CatalogFileError(f'{path}: a field is called "self"; give it another name') from None


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a catalog file as decoded JSON, `{"services": [...]}`, without looking at the rules of the specification.

    Raises:
        CatalogFileError: The file cannot be read as YAML or JSON, or holds neither a mapping nor a list.
    """
    return _Source(Path(path)).document()


@dataclass
class _Source:
    path: Path
    lines: dict[str, int] = field(default_factory=dict)
    prefix: str = ""

    def document(self) -> dict[str, Any]:
        read: Callable[[], Any] | None = {".json": self._json, ".yaml": self._yaml, ".yml": self._yaml}.get(
            self.path.suffix.lower()
        )
        if read is None:
            self.refuse("is no catalog file by its name; use a name that ends in .json, .yaml or .yml")
        try:
            document = read()
        except RecursionError:
            self.refuse("is nested too deep; a catalog needs no more than a few dozen levels")
        except CatalogFileError:
            raise
        except ValueError:  # what json and yaml pass on from int()
            self.refuse("holds a number with thousands of digits; write a smaller one")
        if isinstance(document, list):
            self.prefix = "services"
            return {"services": document}
        if not isinstance(document, dict):
            self.refuse('holds no catalog; write a mapping with the key "services"')
        return document

    def refuse(self, what: str, line: int | None = None) -> NoReturn:
        place = f"{self.path}, line {line}" if line else f"{self.path}"
        raise CatalogFileError(f"{place}: {what}") from None

    def sentence(self, finding: Finding) -> str:
        """Say a finding as a line of an error, with the line of the file where it is known."""
        line = self._line_of(finding.where.split(" (")[0].removeprefix(self.prefix))
        place = f"{self.path}, line {line}" if line else f"{self.path}"
        return f"{place}: {finding.where} {finding.message} ({finding.rule})"

    def _line_of(self, where: str) -> int | None:
        while where and where not in self.lines:  # what is missing has no line: the line of what it is missing from
            where = where[: max(where.rfind("."), where.rfind("["), 0)]
        return self.lines.get(where)

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            self.refuse("is not UTF-8; save it as UTF-8")
        except OSError as error:
            self.refuse(f"cannot be read: {error.strerror}")

    def _json(self) -> Any:
        try:
            return json.loads(
                self._text(), object_pairs_hook=self._object, parse_constant=self._constant, parse_float=self._float
            )
        except json.JSONDecodeError as error:
            self.refuse(f"is not JSON: {error.msg} (column {error.colno})", error.lineno)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, value in pairs:
            if key in members:
                self.refuse(f'the key "{key}" is written twice in one object; remove one of the two')
            members[key] = value
        return members

    def _float(self, text: str) -> float:
        return number if math.isfinite(number := float(text)) else self._constant(text)

    def _constant(self, name: str) -> NoReturn:
        self.refuse(f"{name} is no number in JSON; {_QUOTE}, or write a number")

    def _yaml(self) -> Any:
        try:
            loader = yaml.SafeLoader(self._text())
            node = loader.get_single_node()
            if node is None:
                self.refuse('is empty; write a mapping with the key "services"')
            _Nodes(self).visit(node, "", frozenset())
            return loader.construct_document(node)
        except yaml.reader.ReaderError as error:
            self.refuse(f"is not YAML: the character number {error.position + 1} is not allowed: {error.reason}")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.refuse(f"is not YAML: {error.problem or error.context}", mark.line + 1 if mark else None)


class _Nodes:
    """The look at a YAML document before it becomes values: afterwards the lines and the doubled keys are gone."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._sizes: dict[int, int] = {}

    def visit(self, node: yaml.Node, path: str, above: frozenset[int]) -> int:
        """Refuse what is not JSON, remember the lines, and return how many values the node stands for."""
        if id(node) in above:
            self._refuse(node, "an alias leads back to what it stands in; write it out")
        self._source.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) not in self._sizes:
            above |= {id(node)}
            self._refuse_tag(node)
            size = 1 + sum(self.visit(child, place, above) for place, child in self._children(node, path))
            self._sizes[id(node)] = size
        if self._sizes[id(node)] > _MOST_NODES:
            self._refuse(node, "aliases make this more than a million values; write a smaller catalog")
        return self._sizes[id(node)]

    def _refuse(self, node: yaml.Node, what: str) -> NoReturn:
        self._source.refuse(what, node.start_mark.line + 1)

    def _refuse_tag(self, node: yaml.Node) -> None:
        if node.tag in _REFUSED_TAGS:
            self._refuse(node, f"{_written(node)} {_REFUSED_TAGS[node.tag]}")
        if node.tag in _NUMBERS and ":" in str(node.value):
            self._refuse(node, f"{node.value} is read as a number to the base 60 by YAML; {_QUOTE}")
        if node.tag == _FLOAT and not _is_finite(str(node.value)):
            self._refuse(node, f"{node.value} is no number in JSON; {_QUOTE}, or write a number")

    def _children(self, node: yaml.Node, path: str) -> list[tuple[str, yaml.Node]]:
        if isinstance(node, yaml.SequenceNode):
            return [(f"{path}[{position}]", item) for position, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return []
        self._refuse_keys(node)
        return [(f"{path}.{key.value}" if path else str(key.value), value) for key, value in node.value]

    def _refuse_keys(self, node: yaml.MappingNode) -> None:
        first: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag not in (_STRING, _MERGE):
                self._refuse(key, f"the key {_written(key)} is not a string in YAML; {_QUOTE}")
            line = key.start_mark.line + 1
            if key.value in first:
                what = f'the key "{key.value}" is written twice, here and in line {first[key.value]}; remove one'
                self._refuse(key, what)
            first[key.value] = line


def _is_finite(written: str) -> bool:
    # YAML writes .inf and .nan with a period, and allows underscores in numbers.
    try:
        return math.isfinite(float(written.replace("_", "")))
    except ValueError:
        return False


def _written(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "this"


def _service(fields: Mapping[str, Any]) -> Service:
    return Service(
        **_replaced(
            fields,
            metadata=lambda value: ServiceMetadata(**value),
            dashboard_client=lambda value: ServiceDashboardClient(**value),
            plans=lambda plans: [_plan(plan) for plan in plans],
        )
    )


def _plan(fields: Mapping[str, Any]) -> ServicePlan:
    return ServicePlan(
        **_replaced(
            fields,
            metadata=_plan_metadata,
            schemas=lambda value: Schemas(**value),
            maintenance_info=lambda value: MaintenanceInfo(**value),
        )
    )


def _plan_metadata(fields: Mapping[str, Any]) -> ServicePlanMetadata:
    return ServicePlanMetadata(**_replaced(fields, costs=lambda costs: [ServicePlanCost(**cost) for cost in costs]))


def _replaced(fields: Mapping[str, Any], **makers: Callable[[Any], Any]) -> dict[str, Any]:
    return {key: makers[key](value) if key in makers else value for key, value in fields.items()}
