"""Known breaches of a broker, with the reason of each: they are shown, and do not fail a run."""

from __future__ import annotations

from pathlib import Path

import yaml

from .cooperation import BadFile
from .rules import all_rules


def read_exceptions(path: Path) -> dict[str, str]:
    """Read a file in YAML or JSON that maps rules to reasons.

    Raises:
        BadFile: It cannot be read, names a rule that is none, or gives no reason; the text says where.
    """
    try:
        found = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadFile(f"{path}: cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise BadFile(f"{path}: must map rules to reasons, as in `PROV-17: the clients depend on it`")
    for rule, reason in found.items():
        if rule not in all_rules():
            raise BadFile(f"{path}: {rule} is not a rule that brokers are checked for")
        if not isinstance(reason, str) or not reason.strip():
            raise BadFile(f"{path}: {rule}: give the reason, as text")
    return found
