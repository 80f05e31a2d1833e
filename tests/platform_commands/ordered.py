"""An offering with parameters, whose plans may do everything."""

from __future__ import annotations

from typing import Any

import msgspec
from tests.managed.stage import LARGE, SMALL, Steered

from openbrokerapi.managed import Plan


class Parameters(msgspec.Struct, forbid_unknown_fields=True):
    size: int = 1
    label: str = ""
    network: dict[str, Any] = {}


class Ordered(Steered):
    """As the script says, with parameters and plans that may do everything."""

    parameters = Parameters
    estimate = 1.0  # second; a platform asks no sooner
    plans = (
        Plan(id=SMALL, name="small", description="Small", binding_rotatable=True),
        Plan(id=LARGE, name="large", description="Large", binding_rotatable=True),
    )
