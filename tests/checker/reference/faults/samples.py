"""A fault of the switches, and one of the catalog."""

from __future__ import annotations

from typing import Any

from tests.checker.reference.faults import fault_catalog, fault_setting, find_spare

fault_setting(
    "LOI-25", "forgets the end of an operation when it has told of it", at="poll_instance", keep_terminal_states=False
)


@fault_catalog("SVC-02", "gives two offerings one name")
def name_twice(catalog: dict[str, Any]) -> None:
    find_spare(catalog)["name"] = catalog["services"][0]["name"]
