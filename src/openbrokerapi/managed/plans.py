"""The plans of an offering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from openbrokerapi.catalog import MaintenanceInfo, ServicePlanMetadata


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan of an offering (section "Service Plan Object"); what is None is the offering's.

    Attributes:
        id, name, description, free, metadata: Of the catalog; the id must never change.
        bindable: Whether its instances can be bound.
        plan_updateable: Whether an instance may leave it for another plan.
        binding_rotatable: Whether its bindings can be rotated (2.17).
        parameters, update_parameters, bind_parameters: The types of the parameters, where the plan has its own.
        maximum_polling_duration: Seconds; an operation that takes longer is failed and rolled back.
        maintenance_info: The maintenance version that instances of the plan should have, such as ``"2.1.0"``.
        quota: Most instances of the plan.
        quota_per_organization: Most instances of the plan in one organization.
        settings: What the author's methods want to know of the plan, such as ``{"memory_mb": 512}``.
        retired: No longer in the catalog; its instances live on.
    """

    id: str
    name: str = ""
    description: str = ""
    free: bool | None = None
    bindable: bool | None = None
    metadata: ServicePlanMetadata | Mapping[str, Any] | None = None
    plan_updateable: bool | None = None
    binding_rotatable: bool | None = None
    maximum_polling_duration: int | None = None
    maintenance_info: MaintenanceInfo | str | None = None
    parameters: Any = None
    update_parameters: Any = None
    bind_parameters: Any = None
    quota: int | None = None
    quota_per_organization: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    retired: bool = False

    @property
    def maintenance_version(self) -> str | None:
        """The version of its maintenance, if it has any."""
        info = self.maintenance_info
        return info.version if isinstance(info, MaintenanceInfo) else info
