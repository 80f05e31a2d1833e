"""Where instances live on a platform: the `context` of requests (section "Context Object" of the profile)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OWN = "openbrokerapi"


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a platform says with a request about the place of an instance.

    Attributes:
        platform: The name of the platform; on behalf of a user it is the originating identity's (OID-06).
        organization_guid: For the field of that name, which is required in a provision.
        space_guid: Likewise.
        fields: Further fields of every context.
    """

    platform: str = OWN
    organization_guid: str = "organization"
    space_guid: str = "space"
    fields: Mapping[str, Any] = field(default_factory=dict)

    def of_binding(self) -> dict[str, Any]:
        """Give the context of a bind, which has no instance_name (CTX-07)."""
        return {"platform": self.platform, **self.fields}  # CTX-01

    def of_instance(self, name: str) -> dict[str, Any]:
        """Give the context of a provision or an update.

        Args:
            name: What the user calls the instance.
        """
        return {**self.of_binding(), "instance_name": name}


def cloud_foundry(
    *,
    organization_guid: str = "organization",
    space_guid: str = "space",
    organization_name: str = "organization",
    space_name: str = "space",
    **more: Any,
) -> Context:
    """Give a context as Cloud Foundry sends it (CTX-04 to CTX-08).

    Args:
        organization_guid: The organization's id.
        space_guid: The space's id.
        organization_name: Its name.
        space_name: Its name.
        more: Such as ``organization_annotations``.
    """
    fields = {
        "organization_guid": organization_guid,
        "space_guid": space_guid,
        "organization_name": organization_name,
        "space_name": space_name,
        **more,
    }
    return Context(platform="cloudfoundry", organization_guid=organization_guid, space_guid=space_guid, fields=fields)


def kubernetes(*, namespace: str = "default", clusterid: str = "cluster", **more: Any) -> Context:
    """Give a context as Kubernetes sends it (CTX-09 to CTX-12).

    Args:
        namespace: The namespace.
        clusterid: The cluster's id.
        more: Such as ``namespace_annotations``.
    """
    fields = {"namespace": namespace, "clusterid": clusterid, **more}
    return Context(platform="kubernetes", organization_guid=clusterid, space_guid=namespace, fields=fields)
