"""How a broker is registered at a platform, as commands or manifests; passwords as variables unless they are shown."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import click

from openbrokerapi.cli.target import Target
from openbrokerapi.cli.variables import PASSWORD, TOKEN, USERNAME
from openbrokerapi.platform import PlatformError

from .connection import connect
from .trouble import trouble

_DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_BTP_NAME = re.compile(r"[A-Za-z0-9-]+")


class RegistrationError(click.ClickException):
    """The platform would not take it; the message says why."""

    exit_code = 2


@dataclass(frozen=True)
class Broker:
    """A broker that is to be registered.

    Attributes:
        name: What the platform is to call it.
        target: Where it is, and the credentials that the platform is to send.
        show: Whether secrets are written as they are.
    """

    name: str
    target: Target
    show: bool

    def username(self) -> str:
        """Give the name as a word for a shell."""
        return shlex.quote(self.target.username) if self.target.username else f'"${USERNAME}"'

    def password(self) -> str:
        """Give the password, or the variable that has it, as a word for a shell."""
        if self.show and self.target.password:
            return shlex.quote(self.target.password)
        return f'"${PASSWORD}"'


def offerings_of(broker: Broker) -> list[str]:
    """Fetch the names of the offerings.

    Raises:
        TroubleError: The catalog cannot be had.
    """
    try:
        with connect(broker.target) as client:
            return [each.name for each in client.catalog().offerings]
    except PlatformError as error:
        raise trouble(error) from None


def cloud_foundry_commands(broker: Broker, offerings: Iterable[str], *, space_scoped: bool) -> list[str]:
    """Give the commands for Cloud Foundry; cf reads the password from a variable, so that no list of processes has it.

    Raises:
        RegistrationError: The broker has a bearer token, which Cloud Foundry does not send.
    """
    _refuse_token(broker, "Cloud Foundry")
    name, url = shlex.quote(broker.name), shlex.quote(broker.target.url)
    scope = " --space-scoped" if space_scoped else ""
    lines = [f"CF_BROKER_PASSWORD={broker.password()} cf create-service-broker {name} {broker.username()} {url}{scope}"]
    return [*lines, *(f"cf enable-service-access {shlex.quote(each)} -b {name}" for each in offerings)]


def btp_command(broker: Broker, subaccount: str | None) -> str:
    """Give the command for SAP BTP.

    Raises:
        RegistrationError: The name has other characters than letters, digits and hyphens, or there is a bearer token.
    """
    _refuse_token(broker, "SAP BTP")
    if not _BTP_NAME.fullmatch(broker.name):
        raise RegistrationError(f'"{broker.name}" is no name for SAP BTP: use letters, digits and hyphens')
    where = f" --subaccount {shlex.quote(subaccount)}" if subaccount else ""
    return (
        f"btp register services/broker{where} --name {broker.name} --url {shlex.quote(broker.target.url)}"
        f" --user {broker.username()} --password {broker.password()}"
    )


def kubernetes_manifest(broker: Broker, namespace: str, ca: bytes | None, *, insecure: bool) -> str:
    """Give the manifest for Kubernetes with Service Catalog: a secret, and the broker that refers to it.

    Args:
        broker: What is to be registered.
        namespace: Where the secret is.
        ca: The authorities of the broker's certificate (PEM), or None for the system's.
        insecure: Whether the certificate is not looked at.

    Raises:
        RegistrationError: A name is none for Kubernetes.
    """
    import yaml

    for name in (broker.name, namespace):
        if not _DNS_NAME.fullmatch(name):
            raise RegistrationError(f'"{name}" is no name for Kubernetes: use small letters, digits, hyphens and dots')
    kind, data = _secret(broker)
    reference = {"name": f"{broker.name}-credentials", "namespace": namespace}
    spec: dict[str, Any] = {"url": broker.target.url, "authInfo": {kind: {"secretRef": reference}}}
    if ca is not None:
        spec["caBundle"] = base64.b64encode(ca).decode()
    if insecure:
        spec["insecureSkipTLSVerify"] = True
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": reference, "type": "Opaque", "stringData": data}
    registered = {
        "apiVersion": "servicecatalog.k8s.io/v1beta1",
        "kind": "ClusterServiceBroker",
        "metadata": {"name": broker.name},
        "spec": spec,
    }
    head = (
        "" if broker.show else "# Put the credentials in place, or let them be: ... | envsubst | kubectl apply -f -\n"
    )
    return head + str(yaml.safe_dump_all([secret, registered], sort_keys=False, width=4096))


def _secret(broker: Broker) -> tuple[str, dict[str, str]]:
    target = broker.target
    if target.token:
        return "bearer", {"token": target.token if broker.show else f"${{{TOKEN}}}"}
    password = target.password if broker.show and target.password else f"${{{PASSWORD}}}"
    return "basic", {"username": target.username or f"${{{USERNAME}}}", "password": password}


def _refuse_token(broker: Broker, platform: str) -> None:
    if broker.target.token and not broker.target.username:
        raise RegistrationError(f"{platform} sends a name and a password, no token: set {USERNAME} and {PASSWORD}")
