"""What a command works with: a broker, its client, the record, and what is shown on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from openbrokerapi.cli.target import Target, find_target
from openbrokerapi.platform import (
    Backoff,
    Catalog,
    Client,
    Context,
    Gone,
    Habits,
    NoAnswer,
    NotFound,
    OriginatingIdentity,
    PlatformError,
    Polling,
)
from openbrokerapi.platform.contexts import OWN

from .catalog_memory import remember
from .choosing import ChoiceError, not_found
from .connection import connect
from .parameter_flags import read_object
from .progress import Waiting
from .record import Binding, Instance, Pending, State
from .record_file import RecordFile, default_path
from .subject import Subject
from .trouble import INTERRUPTED, trouble
from .undertaking import LeftBehindError, NotKnownError, Pursuer

_TARGET_OPTIONS = ("credentials_file", "username", "ca", "client_certificate", "client_key", "insecure")
_CLOUD_FOUNDRY = "cloudfoundry"


@dataclass
class Desk:
    """What a command works with.

    Attributes:
        target: The broker.
        client: Speaks to it.
        file: The record.
        waiting: Shows how an operation goes.
        options: Those of the command.
        subject: What the command is about, for what is said when it is interrupted.
    """

    target: Target
    client: Client
    file: RecordFile
    waiting: Waiting
    identity: OriginatingIdentity | None
    options: Mapping[str, Any] = field(repr=False)
    subject: Subject | None = None

    @property
    def as_json(self) -> bool:
        """Tell whether programs read the output."""
        return bool(self.options["as_json"])

    def catalog(self) -> Catalog:
        """Fetch the catalog, and keep its names for shells to complete.

        Raises:
            PlatformError: It cannot be had.
        """
        catalog = self.client.catalog()
        remember(self.target.url, catalog)
        return catalog

    def about(self, name: str, binding: str | None = None) -> Subject:
        """Say what the command is about."""
        self.subject = Subject(self.file, self.target.url, name, binding)
        return self.subject

    def pursuer(self) -> Pursuer:
        """Give who carries undertakings out, as the options say."""
        interval = float(self.options["interval"])
        polling = Polling(interval=interval, longest=max(Polling().longest, interval))
        habits = Habits(
            polling=polling,
            backoff=Backoff(attempts=self.options["attempts"], longest=15.0),
            on_poll=self.waiting.polled,
            on_trouble=self.waiting.troubled,
            on_attempt=self.waiting.attempted,
        )
        return Pursuer(self.client, habits, waits=self.options["waits"], on_accepted=self.waiting.accepted)

    def context(self, instance: Instance | None = None) -> Context:
        """Give the context: of the options, else of the instance in the record, else of the user (OID-06).

        Raises:
            click.BadParameter: --context is no JSON object.
        """
        given = read_object(self.options["context"], "--context") if self.options.get("context") else {}
        default = Context()
        recorded = (instance.platform, instance.organization, instance.space) if instance else ("", "", "")
        of_user = self.identity.platform if self.identity else ""
        platform = str(given.pop("platform", "") or of_user or recorded[0] or OWN)
        if of_user and platform != of_user:  # OID-06
            raise click.BadParameter(
                f"platform is not that of --originating-identity, {of_user}", param_hint="--context"
            )
        organization = (
            self.options.get("organization")
            or given.get("organization_guid")
            or recorded[1]
            or default.organization_guid
        )
        space = self.options.get("space") or given.get("space_guid") or recorded[2] or default.space_guid
        if platform == _CLOUD_FOUNDRY:  # CTX-04
            given = {"organization_guid": organization, "space_guid": space, **given}
        return Context(platform=platform, organization_guid=organization, space_guid=space, fields=given)


@contextmanager
def desk(options: Mapping[str, Any], name: str | None = None) -> Iterator[Desk]:
    """Give what a command works with, and say what goes wrong.

    Args:
        options: Those of the command, by name.
        name: The instance that it is about: the record knows its broker, where none is named.

    Raises:
        TroubleError: The broker refused, failed, or cannot be reached.
        click.exceptions.Exit: It was interrupted.
    """
    file = RecordFile(options["record"] or default_path())
    target = find_target(options["url"] or _broker_of(file, name), **{each: options[each] for each in _TARGET_OPTIONS})
    identity = _identity(options.get("originating_identity"))
    with (
        connect(target, identity) as client,
        Waiting() as waiting,
    ):
        yield_to = Desk(target, client, file, waiting, identity, options)
        with _said(yield_to):
            yield yield_to


@contextmanager
def _said(desk: Desk) -> Iterator[None]:
    try:
        yield
    except LeftBehindError as left:
        notes = (f"What it left could not be deleted after {left.left.attempts} attempts.", *_how_to_go_on(desk))
        raise trouble(left.error, notes, as_json=desk.as_json) from None
    except PlatformError as error:
        notes = ("What it left was deleted.",) if error.mitigated else _how_to_go_on(desk, error)
        if isinstance(error, NoAnswer) and not error.sent:
            notes = ()
        raise trouble(error, notes, as_json=desk.as_json) from None
    except NotKnownError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        desk.waiting.__exit__()
        click.echo("\n".join(("Interrupted.", *_how_to_go_on(desk))), err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None


def _how_to_go_on(desk: Desk, error: PlatformError | None = None) -> tuple[str, ...]:
    """Say from the record what is still open, and how to go on."""
    subject = desk.subject
    entry = None if subject is None else subject.load()
    if subject is None or entry is None:
        return ()
    delete = subject.command("deprovision" if subject.binding is None else "unbind")
    if isinstance(error, NotFound | Gone):
        return (f"If the broker has lost it, {delete} takes it out of the record.",)
    if entry.pending is not None:
        return (_how_to_go_on_with(subject, entry.pending),)
    if entry.state in (State.CREATE_FAILED, State.DELETE_FAILED):
        return (f"It may still be at the broker, and the record keeps it. {delete} deletes it.",)
    if isinstance(entry, Instance) and not entry.usable:
        return (f"The broker says that {subject} does not work until it is updated or deleted.",)
    return ()


def _how_to_go_on_with(subject: Subject, pending: Pending) -> str:
    if pending.accepted:
        return f"The broker goes on. {subject.command('poll')} waits for the end."
    poll = subject.command("poll")
    return f"Whether the broker got the request is not known. Give the same command again, or look with {poll}."


def _identity(given: str | None) -> OriginatingIdentity | None:
    if not given:
        return None
    platform, _, value = given.strip().partition(" ")
    try:
        return OriginatingIdentity.of({"platform": platform, "value": json.loads(value)})
    except ValueError:
        raise click.BadParameter(
            "write the platform, a space, and a JSON object", param_hint="--originating-identity"
        ) from None


def _broker_of(file: RecordFile, name: str | None) -> str | None:
    """Give the address of the only broker that has an instance of this name, or None."""
    if name is None:
        return None
    found = file.read().named(name)
    if not found and any(file.read().instances):
        raise ChoiceError(_no_instance(file, name, None))
    if len(found) > 1:
        brokers = ", ".join(each.broker for each in found)
        raise ChoiceError(f"several brokers have a {name}: {brokers}; say which with --url")
    return found[0].broker if found else None


def _no_instance(file: RecordFile, name: str, broker: str | None) -> str:
    record = file.read()
    elsewhere = [each.broker for each in record.named(name)]
    if elsewhere:
        return f"{name} is not at {broker}; the record has it at {', '.join(elsewhere)}: say --url"
    here = [each.name for each in record.instances if broker is None or each.broker == broker]
    return not_found("instance", name, here, f" in the record {file.path}")


def recorded_instance(desk: Desk, name: str) -> Instance:
    """Find an instance of this broker in the record.

    Raises:
        ChoiceError: There is none; the message says what is near.
    """
    found = desk.file.read().named(name, desk.target.url)
    if not found:
        raise ChoiceError(_no_instance(desk.file, name, desk.target.url))
    return found[0]


def recorded_binding(instance: Instance, key: str) -> Binding:
    """Find a binding of an instance in the record.

    Raises:
        ChoiceError: There is none; the message says what is near.
    """
    found = instance.binding(key)
    if found is None:
        raise ChoiceError(not_found("binding", key, [each.name for each in instance.bindings], f" of {instance.name}"))
    return found
