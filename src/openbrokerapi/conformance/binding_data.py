"""What a binding hands out to an application: which fields, in which answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from .asking import Binding, Instance
from .conversation import Conversation
from .rules import all_rules
from .subjects import Subject
from .wire import Answer, Endpoint, Request

#: The fields of which at least one is there where a binding hands out anything.
DATA = ("credentials", "syslog_drain_url", "route_service_url", "volume_mounts", "endpoints")

#: BMD-03: 2.16 and 2.17 differ in the digits of the fraction, so any number of them will do.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]+Z")


@dataclass(frozen=True)
class HandedOut:
    """What one binding handed out: at once, or with the first fetch (BIND-04).

    Attributes:
        answers: The answer to the bind, and the first fetch where bindings can be fetched.
    """

    answers: tuple[Answer, ...]

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of all answers that are not null."""
        return {name: value for answer in self.answers for name, value in shown(answer).items()}

    @property
    def has_data(self) -> bool:
        """Whether there is anything for an application."""
        return not self.fields.keys().isdisjoint(DATA)


def seen_of(subject: Subject) -> HandedOut:
    """Return what the survey's binding of a plan handed out."""
    answers = (subject.life.answers.get(each) for each in (Endpoint.BIND, Endpoint.FETCH_BINDING))
    return HandedOut(tuple(answer for answer in answers if answer is not None))


async def attempt(talk: Conversation, request: Request, instance: Instance) -> tuple[Answer, bool]:
    """Send a bind that may be refused, and remove what it makes, with the ids of the instance and not of the request.

    Returns:
        The answer, and whether it has made a binding: one that is accepted may still fail.

    Raises:
        SetAside: A poll says nothing of the state.
    """
    answer = await talk.send(request)
    binding = talk.named_binding(request, instance, answer)
    made = answer.ok and (answer.status != 202 or (await talk.finish(answer, binding)).state == "succeeded")
    if made:
        removed = await talk.send(talk.ask.unbind(binding))
        if removed.status == 202:
            await talk.finish(removed, binding)
    return answer, made


def fetchable(talk: Conversation, subject: Subject) -> bool:
    """Say whether bindings of a plan can be fetched, by the catalog and by the version of the specification."""
    return subject.offering.bindings_retrievable and all_rules()["GETB-01"].applies_to(talk.version)


async def handed_out(talk: Conversation, binding: Binding, wanted: str) -> HandedOut:
    """Gather what a binding hands out; it is fetched where the answer to the bind has not the field `wanted`."""
    answers = [binding.answer] if binding.answer else []
    in_answer = any(wanted in shown(answer) for answer in answers)
    if not in_answer and fetchable(talk, binding.instance.subject):
        answers.append(await talk.send(talk.ask.fetch_binding(binding)))
    return HandedOut(tuple(answers))


def shown(answer: Answer) -> dict[str, Any]:
    """Return the fields of an answer that are not null."""
    return {name: value for name, value in answer.fields.items() if value is not None}


def shows_binding(answer: Answer) -> bool:
    """Say whether an answer is one that shows a binding: of a bind that is done, or of a fetch."""
    if answer.request.endpoint is Endpoint.BIND:
        return answer.status in (200, 201)
    return answer.request.endpoint is Endpoint.FETCH_BINDING and answer.status == 200


def credentials_of(answer: Answer) -> Mapping[str, Any]:
    """Return the credentials in an answer; empty where there are none."""
    found = answer.fields.get("credentials")
    return found if isinstance(found, dict) else {}


def names_a_host(credentials: Mapping[str, Any]) -> bool:
    """Say whether credentials hold a host, by the names that the specification's samples have (BIND-51)."""
    host = credentials.get("host")
    return bool((isinstance(host, str) and host) or _netloc(credentials))


def named_ports(credentials: Mapping[str, Any]) -> frozenset[int]:
    """List the ports that credentials name, by the same names."""
    port = str(credentials.get("port"))
    ports = {int(port)} if port.isdecimal() else set()
    # An address may name several hosts.
    for place in _netloc(credentials).rpartition("@")[2].split(","):
        after = place.rpartition(":")[2]
        ports |= {int(after)} if ":" in place and after.isdecimal() else set()
    return frozenset(ports)


def read_time(value: Any) -> datetime | None:
    """Read a time of a binding's metadata; None where it is not written as the specification asks (BMD-03, BMD-04)."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def time_to_renew(answer: Answer) -> float | None:
    """Return the seconds from ``renew_before`` to ``expires_at``; None where one of them is missing."""
    metadata = answer.fields.get("metadata")
    times = metadata if isinstance(metadata, dict) else {}
    end, renewal = read_time(times.get("expires_at")), read_time(times.get("renew_before"))
    return None if end is None or renewal is None else (end - renewal).total_seconds()


def _netloc(credentials: Mapping[str, Any]) -> str:
    """Return what stands between ``//`` and the path of the ``uri``; empty where there is no such thing."""
    uri = credentials.get("uri")
    try:
        return urlsplit(uri).netloc if isinstance(uri, str) else ""
    except ValueError:
        return ""
