"""``openbroker register``: how to make a broker known to a platform."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .belongings import options
from .target import target_options

if TYPE_CHECKING:
    from .belongings.registration import Broker

_TARGET_OPTIONS = ("credentials_file", "username", "ca", "client_certificate", "client_key", "insecure")


@click.group()
def register() -> None:
    """Print the commands or the manifest that register a broker at a platform.

    Nothing is run. Passwords appear as variables of the environment, unless --show-credentials says otherwise.
    """


def _broker_options(command: Callable[..., Any]) -> Callable[..., Any]:
    name = click.option("--name", required=True, metavar="NAME", help="What the platform is to call the broker.")
    show = click.option("--show-credentials", is_flag=True, help="Print the password or token itself.")
    return name(options.url_option(show(target_options(command))))


def _broker(url: str | None, name: str, ca: Path | None, given: dict[str, Any]) -> Broker:
    from .belongings.registration import Broker
    from .target import find_target

    show = given.pop("show_credentials")
    target = find_target(url, ca=ca, **{each: given.pop(each) for each in _TARGET_OPTIONS if each != "ca"})
    return Broker(name=name, target=target, show=show)


@register.command("cf", short_help="For Cloud Foundry.")
@_broker_options
@click.option("--space-scoped", is_flag=True, help="Only for the targeted space.")
def cloud_foundry(url: str | None, name: str, ca: Path | None, *, space_scoped: bool, **given: Any) -> None:
    """Print the cf commands that register the broker, and enable access to each offering of its catalog.

    Exit codes: 0 printed, 1 the broker refused, 2 the broker was not reached.
    """
    from .belongings.registration import cloud_foundry_commands, offerings_of

    broker = _broker(url, name, ca, given)
    # The plans of a space's own broker are visible there at once.
    offerings = [] if space_scoped else offerings_of(broker)
    click.echo("\n".join(cloud_foundry_commands(broker, offerings, space_scoped=space_scoped)))


@register.command(short_help="For Kubernetes with Service Catalog.")
@_broker_options
@click.option("--namespace", default="default", show_default=True, help="Of the secret.")
def kubernetes(url: str | None, name: str, ca: Path | None, *, namespace: str, **given: Any) -> None:
    """Print the manifest of a ClusterServiceBroker and its Secret.

    Exit codes: 0 printed, 2 an option cannot be used.
    """
    from .belongings.registration import kubernetes_manifest

    insecure = bool(given["insecure"])
    broker = _broker(url, name, ca, given)
    bundle = ca.read_bytes() if ca is not None else None
    click.echo(kubernetes_manifest(broker, namespace, bundle, insecure=insecure), nl=False)


@register.command(short_help="For SAP BTP.")
@_broker_options
@click.option("--subaccount", metavar="ID", help="The subaccount.  [default: the one that btp targets]")
def btp(url: str | None, name: str, ca: Path | None, *, subaccount: str | None, **given: Any) -> None:
    """Print the btp command that registers the broker in a subaccount.

    Exit codes: 0 printed, 2 an option cannot be used.
    """
    from .belongings.registration import btp_command

    click.echo(btp_command(_broker(url, name, ca, given), subaccount))
