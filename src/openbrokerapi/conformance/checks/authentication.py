"""Authentication: who is let in, and that it is asked first."""

from __future__ import annotations

import base64
from dataclasses import replace
from urllib.parse import urlsplit

from openbrokerapi.conformance.asking import Binding, Instance
from openbrokerapi.conformance.check import check
from openbrokerapi.conformance.checks.update_subjects import can_be_updated
from openbrokerapi.conformance.conversation import Conversation
from openbrokerapi.conformance.cooperation import SecondPlatform
from openbrokerapi.conformance.http_sender import HttpSender
from openbrokerapi.conformance.subjects import Subject
from openbrokerapi.conformance.wire import NO_SUCH_ENDPOINT, Answer, Credentials, Request

AUTHORIZATION = "Authorization"
_VERSION = "X-Broker-API-Version"
_REFUSED = "status 401: the request bears no credentials that are known"

#: What is wrong, and the value of the header.
_STRANGE = (
    ("the value is not Base64", "Basic ***"),
    ("the value is not UTF-8", "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()),
    ("there is no colon in it", "Basic " + base64.b64encode(b"no-colon").decode()),
    ("there is no value", "Basic"),
    ("it is of another scheme", 'Digest username="platform"'),
    ("it is of a scheme that does not exist", "Conformance abc"),
)


def _credentials(talk: Conversation) -> Credentials:
    credentials = talk.ask.credentials
    if credentials.header() is None:
        talk.not_applicable("the broker is checked without credentials, so it asks for none")
    return credentials


def _wrong(credentials: Credentials) -> list[tuple[str, Credentials]]:
    """Give credentials that are almost right, with what is wrong."""
    if credentials.token is not None:
        return [("the token is wrong", replace(credentials, token=credentials.token + "x"))]
    return [
        ("the username is wrong", replace(credentials, username=f"not-{credentials.username}")),
        ("the password is wrong", replace(credentials, password=f"not-{credentials.password}")),
    ]


def _bearing(request: Request, header: str | None, wrong: str) -> Request:
    bare = request.without_header(AUTHORIZATION).noted(wrong)
    return bare if header is None else bare.with_header(AUTHORIZATION, header)


def _everything(talk: Conversation, instance: Instance, binding: Binding | None) -> list[Request]:
    """Write a request to each endpoint; those that would delete come last."""
    ask = talk.ask
    requests = [ask.catalog(), ask.provision(instance.subject), ask.fetch(instance), ask.poll(instance)]
    requests.append(ask.update(instance))
    if binding is not None:
        requests += [ask.bind(instance), ask.fetch_binding(binding), ask.poll_binding(binding), ask.unbind(binding)]
    return [*requests, ask.deprovision(instance)]


@check("AUTH-02", "AUTH-03", "AUTH-04")
async def nobody_is_let_in_without_the_right_credentials(talk: Conversation) -> None:
    credentials = _credentials(talk)
    bindable = any(each.bindable for each in talk.usable())
    instance = await talk.instance(talk.bindable_subject() if bindable else None)
    binding = await talk.binding(instance) if bindable else None
    requests = _everything(talk, instance, binding)
    for request in requests:
        await _expect_401(talk, "AUTH-02", _bearing(request, None, "no credentials"))
    for wrong, almost in _wrong(credentials):
        for request in requests:
            await _expect_401(talk, "AUTH-03", _bearing(request, almost.header(), wrong))
    for wrong, header in _STRANGE:
        for request in (requests[0], requests[1], requests[-1]):
            await _expect_401(talk, "AUTH-04", _bearing(request, header, f"strange credentials: {wrong}"))


async def _expect_401(talk: Conversation, rule: str, request: Request) -> Answer:
    answer = await talk.send(request)
    if answer.status not in NO_SUCH_ENDPOINT or not await _is_missing(talk, request):
        talk.expect(rule, answer.status == 401, f"{_REFUSED} ({request.note})", answer)
    return answer


async def _is_missing(talk: Conversation, request: Request) -> bool:
    """Say whether the broker has no such endpoint, whoever asks."""
    if request.method not in ("GET", "PATCH"):
        return False
    allowed = request.with_header(AUTHORIZATION, talk.ask.credentials.header() or "").noted("the right credentials")
    return (await talk.send(allowed)).status in NO_SUCH_ENDPOINT


@check("AUTH-05")
async def a_bearer_token_that_was_agreed_upon_lets_in(talk: Conversation) -> None:
    token = talk.help.token or talk.ask.credentials.token
    if token is None:
        talk.needs_help("say under broker.token in the file which bearer token the broker takes, where it takes one")
    catalog = talk.ask.catalog()
    right = await talk.send(_bearing(catalog, f"Bearer {token}", "the token of the file"))
    talk.expect("AUTH-05", right.ok, "to be served: it bears the token that was agreed upon", right)
    await _expect_401(talk, "AUTH-05", _bearing(catalog, f"Bearer {token}x", "a wrong token"))


@check("AUTH-06")
async def the_credentials_are_looked_at_first(talk: Conversation) -> None:
    _credentials(talk)
    subject = talk.subject()
    unknown = talk.ask.unknown_instance(subject)
    requests = (
        talk.ask.provision(subject).with_body(b"{").noted("no credentials, and a body that cannot be read"),
        talk.ask.provision(subject).without_fields("plan_id").noted("no credentials, and no plan"),
        *(each.noted("no credentials, and an instance that does not exist") for each in _of_unknown(talk, subject)),
        talk.ask.deprovision(unknown).without_query().noted("no credentials, and no ids in the query"),
        talk.ask.catalog().without_header(_VERSION).noted("no credentials, and no version"),
    )
    for request in requests:
        answer = await talk.send(request.without_header(AUTHORIZATION))
        text = f"status 401 whatever else is wrong ({request.note})"
        talk.expect("AUTH-06", answer.status == 401, text, answer)


def _of_unknown(talk: Conversation, subject: Subject) -> list[Request]:
    """Write requests about an instance that does not exist, to endpoints that the broker surely has."""
    unknown = talk.ask.unknown_instance(subject)
    written = [talk.ask.update(unknown)] if can_be_updated(subject) else []
    return [*written, talk.ask.fetch(unknown)] if subject.offering.instances_retrievable else written


@check("AUTH-07")
async def a_request_that_is_not_let_in_changes_nothing(talk: Conversation) -> None:
    _credentials(talk)
    subject = talk.subject()
    request = talk.ask.provision(subject)
    await _sent_in_vain(talk, request)
    gone = await talk.send(talk.ask.deprovision(talk.named_instance(request, subject)))
    talk.expect("AUTH-07", not gone.ok, "nothing to be there after a provision that was answered with 401", gone)

    instance = await talk.instance(subject)
    await _sent_in_vain(talk, talk.ask.deprovision(instance))
    removed = await talk.send(talk.ask.deprovision(instance))
    text = "the instance still to be there after a DELETE that was answered with 401"
    talk.expect("AUTH-07", removed.ok, text, removed)
    if removed.status == 202:
        await talk.finish(removed, instance)


async def _sent_in_vain(talk: Conversation, request: Request) -> None:
    answer = await talk.send(_bearing(request, None, "no credentials"))
    if answer.status != 401:
        talk.undecided(f"the {request.endpoint} without credentials was answered with {answer.status}")


@check("AUTH-08")
async def requests_need_credentials_and_travel_over_TLS(talk: Conversation) -> None:  # noqa: N802
    answer = await talk.send(_bearing(talk.ask.catalog(), None, "no credentials"))
    talk.expect(
        "AUTH-08",
        not answer.ok,
        "to be refused: a broker should ask for credentials; one that does not is checked without any",
        answer,
    )
    parts = urlsplit(talk.url)
    # What does not leave the machine needs no TLS, nor what is called in the same process.
    if parts.hostname is not None and not _is_here(parts.hostname):
        talk.expect("AUTH-08", parts.scheme == "https", "an address of https: the broker should be behind TLS", answer)


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


@check("AUTH-10")
async def a_second_platform_is_served_at_its_own_address(talk: Conversation) -> None:
    second = talk.help.second_platform
    if second is None:
        talk.needs_help("say under broker.second_platform in the file which address and credentials it has, if any")
    credentials = Credentials(second.username, second.password)
    catalog = talk.ask.catalog().noted("to the address of the second platform")
    right = await _send_to(second, talk, catalog.with_header(AUTHORIZATION, credentials.header() or ""))
    talk.expect("AUTH-10", right.ok, "to be served: these are the second platform's credentials", right)
    for wrong, almost in _wrong(credentials):
        request = catalog.with_header(AUTHORIZATION, almost.header() or "")
        answer = await _send_to(second, talk, request.noted(f"to the second platform's address: {wrong}"))
        talk.expect("AUTH-10", answer.status == 401, f"status 401: {wrong}", answer)


async def _send_to(second: SecondPlatform, talk: Conversation, request: Request) -> Answer:
    """Send to the address of the second platform: a path on the same host, or a URL."""
    if second.url.startswith("/"):
        return await talk.send(replace(request, path=second.url.rstrip("/") + request.path))
    sender = HttpSender(second.url)
    try:
        return await sender.send(request)
    finally:
        await sender.close()
