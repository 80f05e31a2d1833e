"""``openbroker serve``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from openbrokerapi.protocol.headers import version_of
from openbrokerapi.settings import MEBIBYTE

from .managing import State, hand_over, prepare, state_of, state_options

if TYPE_CHECKING:
    from .serving import Serving

_FILE = click.Path(exists=True, dir_okay=False)
_LEVELS = click.Choice(["debug", "info", "warning", "error"])


class ServeError(click.ClickException):
    """The broker cannot be served; the message says what to change."""

    exit_code = 2


def _version(_: click.Context, __: click.Parameter, text: str) -> tuple[int, int]:
    found = version_of(text.encode())
    if found is None:
        raise click.BadParameter("write two numbers with a dot between, such as 2.13")
    return found


def _prefix(_: click.Context, __: click.Parameter, text: str) -> str:
    if text and not text.startswith("/"):
        raise click.BadParameter("begin it with a slash, such as /tenant-a")
    return text.rstrip("/")


@click.command()
@click.argument("reference", metavar="PACKAGE.MODULE:BROKER")
@click.option("--host", default="127.0.0.1", show_default=True, envvar="OPENBROKER_HOST", help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    envvar=["OPENBROKER_PORT", "PORT"],
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Number of processes.")
@click.option("--credentials-file", type=_FILE, help="File with one username:password a line.")
@click.option("--no-auth", is_flag=True, help="Serve everybody; only where no credentials are given.")
@click.option("--prefix", default="", callback=_prefix, help="Path in front of /v2, such as /tenant-a.")
@click.option("--tls-certificate", type=_FILE, help="Certificate chain of the server (PEM).")
@click.option("--tls-key", type=_FILE, help="Its private key (PEM).")
@click.option("--tls-client-ca", type=_FILE, help="Authorities (PEM); clients must show a certificate of theirs.")
@click.option(
    "--grace", default=30.0, show_default=True, type=click.FloatRange(0), help="Seconds to finish on SIGTERM."
)
@click.option(
    "--body-limit", default=MEBIBYTE, show_default=True, type=click.IntRange(1), help="Largest body in bytes."
)
@click.option(
    "--threads",
    default=100,
    show_default=True,
    type=click.IntRange(1),
    help="Plain methods at once, for reading and for changing each.",
)
@click.option("--minimum-version", default="2.13", show_default=True, callback=_version, help="Oldest API version.")
@click.option(
    "--missing-version-status",
    default="400",
    show_default=True,
    type=click.Choice(["400", "412"]),
    help="Answer to a request without the version header.",
)
@state_options
@click.option(
    "--no-work", is_flag=True, envvar="OPENBROKER_NO_WORK", help="Leave operations to `openbroker worker` (PostgreSQL)."
)
@click.option("--log-level", default="info", show_default=True, type=_LEVELS)
@click.option("--access-log/--no-access-log", default=True, show_default=True, help="A log line for each request.")
def serve(
    reference: str,
    tls_certificate: str | None,
    tls_key: str | None,
    store: str | None,
    keys_file: str | None,
    development: bool,
    no_work: bool,
    **options: Any,
) -> None:
    """Serve a broker over HTTP.

    PACKAGE.MODULE:BROKER names a broker, or a class or function that gives one; the current directory is looked in
    first. Credentials come from OPENBROKER_USERNAME and OPENBROKER_PASSWORD, from OPENBROKER_TOKEN, or from a file.

    A catalog that breaks a MUST of the specification is refused. On SIGTERM requests under way are answered, within
    --grace seconds. GET /healthz and /readyz need no credentials.

    A managed broker keeps its state in --store. What is secret is sealed with the keys of --keys-file, or of
    OPENBROKER_KEYS. These options are for managed brokers only.
    """
    if (tls_key or options["tls_client_ca"]) and not tls_certificate:
        raise click.UsageError("--tls-key and --tls-client-ca need --tls-certificate")
    from .credentials import has_credentials
    from .serving import Serving, application, configure_logging, run

    options["missing_version_status"] = int(options["missing_version_status"])
    serving = Serving(reference=reference, tls_certificate=tls_certificate, tls_key=tls_key, **options)
    configure_logging(serving.log_level)
    _check_tls(serving)
    broker = _checked_broker(reference)
    state = state_of(click.get_current_context(), store, keys_file, development=development, works=not no_work)
    _connect(broker, serving, state)
    app = application(serving, broker)
    if serving.no_auth and serving.credentials_file is None and not has_credentials():
        click.echo("No authentication: whoever reaches the address can do everything.", err=True)
    workers = f"{serving.workers} workers" if serving.workers > 1 else "1 worker"

    def announce(port: int) -> None:
        click.echo(f"Serving {reference} on {serving.address(port)} ({workers}, process {os.getpid()})", err=True)

    try:
        run(serving, app, announce)
    except OSError as error:
        raise ServeError(
            f"cannot listen on {serving.host} port {serving.port} ({error.strerror}); choose another --host or --port"
        ) from None


def _connect(broker: Any, serving: Serving, state: State) -> None:
    prepare(broker, state, processes=serving.workers, reference=serving.reference)
    if serving.workers > 1:
        hand_over(state)  # each worker makes a broker of its own, and connects it


def _check_tls(serving: Serving) -> None:
    from .serving import check_tls

    try:
        check_tls(serving)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ServeError(
            f"the files of --tls-certificate, --tls-key and --tls-client-ca do not work: {reason}"
        ) from None


def _checked_broker(reference: str) -> Any:
    from .broker_reference import load_broker
    from .catalog_source import SourceError
    from .start_check import broken_rules, is_async

    broker = load_broker(reference)
    if is_async(broker):
        return broker  # checked on the event loop that serves it
    try:
        broken = broken_rules(broker)
    except Exception as error:  # noqa: BLE001 - the author's catalog() may raise anything
        raise SourceError(f"{reference}: catalog() fails: {type(error).__name__}: {error}") from None
    for line in broken:
        click.echo(line, err=True)
    if broken:
        raise ServeError(f"the catalog of {reference} breaks the specification in {len(broken)} places, see above")
    return broker
