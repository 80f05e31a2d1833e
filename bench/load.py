"""Load from one program on as many connections as are kept busy: wrk, or our own generator where there is none."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.wire import HOST, WrongAnswer

CONNECTIONS = 16
_GENERATOR = Path(__file__).with_name("generator.py")
_LUA = """
local requests, at = { %s }, 0
function request()
  at = at %% #requests + 1
  return requests[at]
end
function done(summary)
  local errors = summary.errors
  io.write(string.format('\\n{"answers":%%d,"seconds":%%f,"bytes":%%d,"errors":%%d}',
    summary.requests, summary.duration / 1e6, summary.bytes,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What was sent and answered.

    Attributes:
        bytes: Of all answers.
        errors: Answers of a status from 400 on, and connections that failed.
    """

    answers: int
    seconds: float
    bytes: int
    errors: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds

    def require(self, size: int, who: str) -> None:
        """See that every answer was the one that was verified, by its size.

        Raises:
            WrongAnswer: Some were not.
        """
        if self.errors or not self.answers:
            raise WrongAnswer(f"{who}: {self.errors} of {self.answers} answers were errors")
        # At the end of the time each connection may have got a part of one more.
        if not 0 <= self.bytes - self.answers * size <= CONNECTIONS * size:
            raise WrongAnswer(f"{who}: answers of {self.bytes / self.answers:.1f} bytes on average, not of {size}")


def generator_name() -> str:
    """Say what makes the load."""
    return "wrk" if shutil.which("wrk") else "bench/generator.py"


def put_under_load(port: int, requests: tuple[bytes, ...], seconds: float) -> Load:
    """Send requests in turn on all connections for some seconds."""
    wrk = shutil.which("wrk")
    output = _wrk(wrk, port, requests, seconds) if wrk else _own(port, requests, seconds)
    return Load(**json.loads(output.strip().rpartition("\n")[2]))


def warm_up(port: int, requests: tuple[bytes, ...], seconds: float) -> None:
    """Send requests without counting; with our generator, as wrk takes whole seconds only."""
    _own(port, requests, seconds)


def _wrk(wrk: str, port: int, requests: tuple[bytes, ...], seconds: float) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_LUA % ",".join(map(_quoted, requests)))
        script.flush()
        command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", script.name]
        return _output([*command, f"http://{HOST}:{port}/"])


def _quoted(raw: bytes) -> str:
    return '"' + "".join(f"\\{byte:03d}" for byte in raw) + '"'


def _own(port: int, requests: tuple[bytes, ...], seconds: float) -> str:
    task = {"host": HOST, "port": port, "connections": CONNECTIONS, "seconds": seconds}
    task["requests"] = [base64.b64encode(each).decode() for each in requests]
    return _output([sys.executable, str(_GENERATOR)], json.dumps(task))


def _output(command: list[str], given: str = "") -> str:
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout
