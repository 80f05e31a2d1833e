"""What the logs say, and what they never say."""

# mypy: disable-error-code="override"
from __future__ import annotations

import asyncio
import base64
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from tests.contract.brokers import BINDING, INSTANCE, RecordingBroker, asynchronous, catalog
from tests.contract.hosts import CREDENTIALS, Platform, Serving
from tests.contract.ten import BINDING_UP, DEPROVISIONING, NINE, PROVISIONING, TEN, UPDATING, Sent, of

from openbrokerapi import errors
from openbrokerapi.log_util import RequestIdentityFilter, basic_config
from openbrokerapi.service_broker import Binding, BindState, ProvisionedServiceSpec, ProvisionState

REQUEST = "X-Broker-API-Request-Identity"
IDENTITY = "5c9bd6b2-the-request"

# Each has characters that are written differently by repr(), ascii() and json.dumps().
MARKS = {
    "parameter": "marker-parameter",
    "quoted": 'marker-"quoted"\'text\\',
    "lines": "marker-first\nmarker-second",
    "foreign": "marker-päßwörd-日本-🚀",
    "deep": "marker-deep-in-a-list",
    "context": "marker-of-the-context",
    "resource": "marker-of-the-bind-resource",
    "credential": "marker-credential-of-the-binding",
    "authorization": "marker-wrong-password",
}
PARAMETERS = {
    "name": MARKS["parameter"],
    "quoted": MARKS["quoted"],
    "lines": MARKS["lines"],
    "foreign": MARKS["foreign"],
    "deep": [{"er": [MARKS["deep"], 918273645546372819]}],
}
WITH_MARKS: dict[str, Any] = {
    "parameters": PARAMETERS,
    "context": {"platform": "cloudfoundry", "secret": MARKS["context"]},
}
FORBIDDEN = ["marker-", "918273645546372819", "p\\u00e4\\u00dfw", "p\\xe4\\xdfw", CREDENTIALS.password]


class Captured(logging.Handler):
    """All that anything writes: every logger at its finest, standard output, standard error."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        super().__init__()
        self.addFilter(RequestIdentityFilter())
        self._capfd = capfd
        self.records: list[logging.LogRecord] = []
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        # Formatted as any handler would, with the traceback that a record may carry; and raw, as some handlers ship it.
        self._lines.append(f"{record.name} {self.format(record)} {record.args!r}")

    def text(self) -> str:
        return "\n".join([*self._lines, *self._capfd.readouterr()])


LOGGERS = ("openbrokerapi", "flask", "flask.app", "werkzeug", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio")


@pytest.fixture
def captured(capfd: pytest.CaptureFixture[str]) -> Iterator[Captured]:
    found = Captured(capfd)
    loggers = [logging.getLogger(name) for name in {*LOGGERS, *logging.Logger.manager.loggerDict}] + [logging.root]
    before = [(logger, logger.level, logger.propagate, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(1)
        logger.propagate, logger.disabled = True, False
    logging.root.addHandler(found)
    yield found
    logging.root.removeHandler(found)
    for logger, level, propagate, disabled in before:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled


class Quoting(RecordingBroker):
    """A careless broker: its exceptions quote all that they were given, in every way of writing it."""

    def __init__(self, kind: type[Exception]) -> None:
        super().__init__()
        self.kind = kind
        self.offerings = catalog()
        for plan in self.offerings[0].plans:
            plan.schemas = None

    def _answer(self, name: str, arguments: dict[str, Any]) -> Any:
        details = arguments.get("details")
        given = getattr(details, "parameters", None)
        resource = getattr(details, "bind_resource", None)
        told = [str(given), repr(given), ascii(given), json.dumps(given), json.dumps(given, ensure_ascii=False)]
        told += [str(value) for value in (given or {}).values()]
        told += [repr(details), str(vars(details)) if details else "", str(vars(resource)) if resource else ""]
        raise self.kind(" | ".join(told)) from ValueError(*told)


def body_of(sent: Sent) -> Any:
    if sent.body is None:
        return None
    more = {"bind_resource": {"app_guid": "app", "secret": MARKS["resource"]}} if sent.name == "bind" else {}
    return {**sent.body, **WITH_MARKS, **more}


def assert_silent(captured: Captured) -> str:
    text = captured.text()
    authorization = Platform(0).authorization()["Authorization"]
    for secret in (*FORBIDDEN, authorization, authorization.split()[1]):
        assert secret not in text
    return text


@pytest.mark.parametrize("kind", [RuntimeError, KeyError, UnicodeError, errors.ServiceException])
@pytest.mark.parametrize("style", ["plain", "async"])
@of(NINE)
def test_an_exception_that_quotes_the_request_is_logged_without_its_secrets(
    serve: Serving, captured: Captured, sent: Sent, style: str, kind: type[Exception]
) -> None:
    broker = Quoting(kind)
    platform = serve(asynchronous(broker) if style == "async" else broker)
    answer = platform.send(sent.method, sent.target, body_of(sent), query=sent.query)
    assert answer.status == 500
    assert "marker" not in answer.body.decode()
    text = assert_silent(captured)
    assert kind.__name__ in text  # the log does tell of it
    assert "_answer" in text


def test_an_exception_that_quotes_thousands_of_values_is_logged_without_its_text(
    serve: Serving, captured: Captured
) -> None:
    many = {f"key-{number}": f"marker-{number}" for number in range(5000)}
    assert serve(Quoting(RuntimeError)).send("PUT", INSTANCE, {**PROVISIONING.body, "parameters": many}).status == 500
    assert "RuntimeError" in assert_silent(captured)


BROKEN = {"name": 3, "parameter": MARKS["parameter"], "size": MARKS["quoted"], "more": MARKS["foreign"]}


@pytest.mark.parametrize(
    "body",
    [
        {"parameters": BROKEN},
        {"parameters": MARKS["parameter"]},
        {"parameters": [MARKS["parameter"]]},
        {"context": MARKS["context"]},
        {"service_id": MARKS["parameter"]},
        {"plan_id": {"secret": MARKS["parameter"]}},
        {"maintenance_info": {"version": MARKS["parameter"]}},
    ],
)
@of((PROVISIONING, UPDATING, BINDING_UP))
def test_a_refused_body_reaches_neither_the_logs_nor_the_answer(
    platform: Platform, captured: Captured, sent: Sent, body: Any
) -> None:
    answer = platform.send(sent.method, sent.target, {**sent.body, "plan_id": sent.body.get("plan_id", "x"), **body})
    assert "marker" not in answer.body.decode()
    assert_silent(captured)


def test_broken_json_reaches_neither_the_logs_nor_the_answer(platform: Platform, captured: Captured) -> None:
    answer = platform.send("PUT", INSTANCE, f'{{"parameters": {{"name": "{MARKS["parameter"]}"'.encode())
    assert (answer.status, "marker" in answer.body.decode()) == (400, False)
    assert_silent(captured)


@pytest.mark.parametrize("style", ["plain", "async"])
@of(TEN)
def test_what_goes_well_leaves_no_secret_in_the_logs(
    serve: Serving, captured: Captured, sent: Sent, style: str
) -> None:
    broker = RecordingBroker(bind=Binding(credentials={"password": MARKS["credential"]}))
    for plan in broker.offerings[0].plans:
        plan.schemas = None
    platform = serve(asynchronous(broker) if style == "async" else broker)
    answer = platform.send(sent.method, sent.target, body_of(sent), query=sent.query)
    assert answer.status == sent.made
    assert_silent(captured)


@pytest.mark.parametrize(
    "value",
    [
        f"Basic {base64.b64encode(b'platform:marker-wrong-password').decode()}",
        "Bearer marker-wrong-password",
        "marker-wrong-password",
        "Basic marker-wrong-password",
    ],
)
def test_a_refused_authorization_is_in_no_log(platform: Platform, captured: Captured, value: str) -> None:
    answer = platform.send("GET", "/v2/catalog", headers={"Authorization": value})
    assert (answer.status, "marker" in answer.body.decode()) == (401, False)
    text = assert_silent(captured)
    assert value.rsplit(maxsplit=1)[-1] not in text


CREDENTIAL: Any = MARKS["credential"]
UNSENDABLE: list[Any] = [
    Binding(credentials={"password": CREDENTIAL, "broken": object()}),
    Binding(credentials=CREDENTIAL),
    Binding(BindState.SUCCESSFUL_BOUND, {"password": CREDENTIAL}, syslog_drain_url=cast("Any", 7)),
    Binding(CREDENTIAL),
    {"credentials": CREDENTIAL},
    ProvisionedServiceSpec(ProvisionState.IS_ASYNC, CREDENTIAL),
]


@pytest.mark.parametrize("wrong", UNSENDABLE)
def test_an_answer_that_cannot_be_sent_is_logged_without_its_credentials(
    serve: Serving, captured: Captured, wrong: Any
) -> None:
    answer = BINDING_UP.by(serve(RecordingBroker(bind=wrong)))
    assert answer.status >= 400
    assert "marker" not in answer.body.decode()
    assert_silent(captured)


def test_an_authenticator_that_quotes_the_header_is_logged_without_it(serve: Serving, captured: Captured) -> None:
    class Quotes:
        def identify(self, request: Any) -> None:
            raise RuntimeError(f"cannot read {request.header('Authorization')} of {request!r} {request.headers!r}")

    assert PROVISIONING.by(serve(RecordingBroker(), authenticator=Quotes())).status == 500
    assert_silent(captured)


class Talking(RecordingBroker):
    """Writes a line in each of its methods, and some go on to raise."""

    def catalog(self) -> Any:
        logging.getLogger("author").info("line of catalog")
        return self.offerings

    def _answer(self, name: str, arguments: dict[str, Any]) -> Any:
        logging.getLogger("author").info("line of %s", name)
        return super()._answer(name, arguments)


class TalkingLater(Talking):
    async def provision(self, **arguments: Any) -> Any:
        await asyncio.sleep(0)
        return await asyncio.create_task(self._later("provision", arguments))

    async def bind(self, **arguments: Any) -> Any:
        return await asyncio.to_thread(self._answer, "bind", arguments)

    async def deprovision(self, **arguments: Any) -> Any:
        return self._answer("deprovision", arguments)

    async def _later(self, name: str, arguments: dict[str, Any]) -> Any:
        await asyncio.sleep(0)
        return self._answer(name, arguments)


def identities(captured: Captured, *names: str) -> set[tuple[str, str]]:
    return {
        (record.getMessage().split("\n")[0], record.request_identity)  # type: ignore[attr-defined]  # the filter's
        for record in captured.records
        if record.name in names
    }


@pytest.mark.rule("RID-02")
@pytest.mark.parametrize("kind", [Talking, TalkingLater])
@of((PROVISIONING, BINDING_UP, DEPROVISIONING))
def test_lines_of_the_authors_methods_carry_the_identity_of_their_request(
    serve: Serving, captured: Captured, kind: type[Talking], sent: Sent
) -> None:
    platform = serve(kind())
    sent.by(platform, {REQUEST: IDENTITY})
    found = identities(captured, "author")
    assert (f"line of {sent.name}", IDENTITY) in found
    assert {identity for _, identity in found} == {IDENTITY}
    captured.records.clear()
    sent.by(platform)
    assert {identity for _, identity in identities(captured, "author")} == {"-"}


@pytest.mark.rule("RID-02")
@pytest.mark.parametrize("kind", [Talking, TalkingLater])
@of((PROVISIONING, BINDING_UP, DEPROVISIONING))
def test_the_librarys_own_lines_carry_the_identity_of_their_request(
    serve: Serving, captured: Captured, kind: type[Talking], sent: Sent
) -> None:
    platform = serve(kind(**{sent.name: RuntimeError("it broke")}))
    sent.by(platform, {REQUEST: IDENTITY})
    assert (f"{sent.name}: unexpected error", IDENTITY) in identities(captured, "openbrokerapi")


@pytest.mark.rule("RID-02")
def test_requests_at_the_same_time_keep_their_identities_apart(serve: Serving, captured: Captured) -> None:
    together = threading.Barrier(6)

    class Meeting(Talking):
        def provision(self, **arguments: Any) -> Any:
            together.wait(30)
            logging.getLogger("author").info("line of %s", arguments["instance_id"])
            return ProvisionedServiceSpec()

    platform = serve(Meeting())

    def put(number: int) -> None:
        platform.send("PUT", f"/v2/service_instances/{number}", PROVISIONING.body, {REQUEST: f"identity-{number}"})

    threads = [threading.Thread(target=put, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {pair for pair in identities(captured, "author") if "catalog" not in pair[0]}
    assert found == {(f"line of {number}", f"identity-{number}") for number in range(6)}


@pytest.mark.rule("RID-02")
def test_basic_config_writes_the_identity(serve: Serving, capfd: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("author")
    basic_config(logger)
    try:
        BINDING_UP.by(serve(Talking()), {REQUEST: IDENTITY})
    finally:
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
    assert f"author [{IDENTITY}] line of bind" in capfd.readouterr().err


def test_no_repr_shows_a_secret(serve: Serving) -> None:
    recording = RecordingBroker(bind=Binding(credentials={"password": MARKS["credential"]}))
    platform = serve(recording)
    platform.send("PUT", BINDING, {**BINDING_UP.body, "context": WITH_MARKS["context"]})
    shown = [repr(recording.details), repr(recording.answers["bind"]), repr(CREDENTIALS), str(CREDENTIALS)]
    assert "marker" not in "".join(shown)
    assert CREDENTIALS.password not in "".join(shown)
