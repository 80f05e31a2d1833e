"""Who is measured: each server's command, and the published release's environment."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import dev
from bench.brokers import PASSWORD, USERNAME
from bench.processes import ROOT, Program, cores, free_port, pinned

PUBLISHED = "4.7.3"
# Where `openbroker serve` finds the credentials.
SERVE_ENVIRONMENT = {"OPENBROKER_USERNAME": USERNAME, "OPENBROKER_PASSWORD": PASSWORD}
PUBLISHED_ENVIRONMENT = ROOT / ".venv-bench"  # .gitignore has it
# The same server and framework below both releases.
_SAME = ("gunicorn", "flask", "werkzeug")
_ENOUGH_FOR_TWO = 4  # cores: two for two workers, two for the generator


@dataclass(frozen=True)
class Contender:
    """A server to measure.

    Args:
        key: Names it in the results.
        library: What answers.
        host: On what.
        methods: How the broker's methods are written.
        application: ``module:function`` that makes the application; for ``openbroker serve`` the broker.
        server: ``uvicorn``, ``gunicorn`` or ``serve``.
        workers: Its processes.
    """

    key: str
    library: str
    host: str
    methods: str
    application: str
    server: str
    workers: int

    @property
    def is_published(self) -> bool:
        return self.library == PUBLISHED

    @property
    def is_bare(self) -> bool:
        return self.library == "none"

    def command(self, port: int) -> list[str]:
        """Give the command that serves it on a port."""
        if self.server == "serve":
            # With no line in a log for each request, as the others have none.
            command = [sys.executable, "-m", "openbrokerapi.cli.main", "serve", self.application, "--no-access-log"]
            return [*command, "--log-level", "warning", "--workers", str(self.workers), "--port", str(port)]
        python = str(PUBLISHED_ENVIRONMENT / "bin" / "python") if self.is_published else sys.executable
        common = [python, "-m", self.server, "--workers", str(self.workers), "--log-level", "warning"]
        if self.server == "gunicorn":
            return [*common, "--bind", f"127.0.0.1:{port}", f"{self.application}()"]
        common += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
        return [*common, "--port", str(port), "--factory", self.application]


BARE = Contender("bare", "none", "ASGI, uvicorn", "none", "bench.bare:bare", "uvicorn", 1)
PUBLISHED_FLASK = Contender(
    "published", PUBLISHED, "Flask, gunicorn", "plain", "bench.published:flask_plain", "gunicorn", 2
)


_BROKERS = {
    "async": "brokers:AsyncBroker",
    "plain": "brokers:PlainBroker",
    "marked": "applications:MarkedBroker",
    "slow": "brokers:SlowBroker",
}


def _ours(host: str, methods: str, workers: int) -> Contender:
    words = {"async": "async def", "plain": "plain", "marked": "plain, @nonblocking", "slow": "plain, 1 s"}
    key = f"{host}-{methods}-{workers}"
    if host == "asgi":
        broker = f"bench.{_BROKERS[methods]}"
        return Contender(key, "this package", "ASGI, openbroker serve", words[methods], broker, "serve", workers)
    name = {"wsgi": "WSGI", "flask": "Flask"}[host]
    application = f"bench.applications:{host}_{methods}"
    return Contender(key, "this package", f"{name}, gunicorn", words[methods], application, "gunicorn", workers)


ASGI = _ours("asgi", "async", 1)
SLOW = _ours("asgi", "slow", 1)
CONTENDERS = (
    ASGI,
    _ours("asgi", "async", 2),
    _ours("asgi", "marked", 1),
    _ours("asgi", "plain", 1),
    _ours("flask", "async", 2),
    _ours("flask", "plain", 2),
    _ours("wsgi", "async", 2),
    _ours("wsgi", "plain", 2),
    PUBLISHED_FLASK,
    BARE,
)


@dataclass(frozen=True)
class Running:
    """A contender that answers on a port."""

    contender: Contender
    program: Program
    port: int
    sizes: dict[str, int] = field(default_factory=dict)  # of the right answer, by the case's name


def server_cores(workers: int) -> list[int]:
    """Choose the cores of a server: away from the generator, where there are enough."""
    every = cores()
    if workers == 1 and len(every) > 1:
        return every[:1]
    return every[:2] if len(every) >= _ENOUGH_FOR_TWO else every


def generator_cores(workers: int) -> list[int]:
    """Choose the cores of the generator: those that the server does not have, else all."""
    every = cores()
    return [core for core in every if core not in server_cores(workers)] or every


@contextmanager
def running(contenders: tuple[Contender, ...], shape: str = "10x5") -> Iterator[list[Running]]:
    """Serve contenders, each on a port of its own, until the end of the block."""
    with ExitStack() as stack:
        started = []
        for contender in contenders:
            port = free_port()
            with pinned(server_cores(contender.workers)):
                environment = {"BENCH_CATALOG": shape, **SERVE_ENVIRONMENT}
                program = stack.enter_context(Program(contender.command(port), environment))
            started.append(Running(contender, program, port))
        for each in started:
            each.program.wait_ready(each.port)
        yield started


def versions(python: str = sys.executable) -> dict[str, str]:
    """Give the versions of what matters in an environment; nothing of what is not there."""
    names = ("openbrokerapi", "uvicorn", "httptools", "uvloop", "msgspec", "jsonschema-rs", *_SAME)
    code = (
        "import importlib.metadata as m, json, sys\n"
        "known = {str(d.metadata['Name']).lower().replace('_', '-'): d.version for d in m.distributions()}\n"
        "print(json.dumps({name: known[name] for name in sys.argv[1:] if name in known}))"
    )
    found = subprocess.run([python, "-c", code, *names], capture_output=True, text=True, check=False).stdout
    known: dict[str, str] = json.loads(found or "{}")
    return known


def prepare_published() -> dict[str, str]:
    """Make the published release's environment where it is not there, and give its versions."""
    environment = dev.Environment(PUBLISHED_ENVIRONMENT)
    wanted = {"openbrokerapi": PUBLISHED, **{name: importlib.metadata.version(name) for name in _SAME}}
    found = versions(str(environment.python)) if environment.python.exists() else {}
    if found != wanted:
        dev.make(environment.folder)
        _install(environment, [f"{name}=={version}" for name, version in wanted.items()])
        found = versions(str(environment.python))
    return found


def _install(environment: dev.Environment, requirements: list[str]) -> None:
    python = str(environment.python)
    within = subprocess.call([python, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0
    pip = [python, "-m", "pip"] if within else [dev.base_python(), "-m", "pip", "--python", python]
    dev.run([*pip, "install", "--quiet", "--no-input", "--disable-pip-version-check", *requirements], environment)
