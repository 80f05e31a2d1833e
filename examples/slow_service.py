"""Something slow and external, for slow_service_broker.py: it builds machines, each in so many seconds.

    python slow_service.py 8090

POST /jobs {"machine", "seconds"} begins to build one; a repeated request with the same Idempotency-Key gets the same
job. GET /jobs/ID tells how it goes, GET /jobs tells of all. DELETE /jobs?machine=NAME cancels what is being built and
scraps what has been. It keeps what it does in memory: it plays a part.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BROKEN = "broken"  # a machine of this make cannot be built


class Jobs:
    """The jobs of the service, by their ids."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_key: dict[str, dict[str, Any]] = {}

    def start(self, key: str, order: dict[str, Any]) -> dict[str, Any]:
        """Begin a job, or find the one that was begun with the same key."""
        with self._lock:
            number = f"job-{len(self._by_key) + 1}"
            new = {"id": number, "asked": 0, "begun": time.monotonic(), "cancelled": False, **order}
            job = self._by_key.setdefault(key, new)
            job["asked"] += 1
            return shown(job)

    def found(self) -> list[dict[str, Any]]:
        """Tell of all jobs."""
        with self._lock:
            return [shown(job) for job in self._by_key.values()]

    def cancel(self, machine: str) -> None:
        """Cancel the jobs of a machine."""
        with self._lock:
            for job in self._by_key.values():
                job["cancelled"] = job["cancelled"] or job["machine"] == machine


def shown(job: dict[str, Any]) -> dict[str, Any]:
    """Tell how a job goes."""
    percent = min(100, int(100 * (time.monotonic() - job["begun"]) / max(job["seconds"], 0.001)))
    state = "cancelled" if job["cancelled"] else "built" if percent == 100 else "building"
    if job["make"] == BROKEN and not job["cancelled"]:
        state = "failed"
    return {"id": job["id"], "machine": job["machine"], "state": state, "percent": percent, "asked": job["asked"]}


class Handler(BaseHTTPRequestHandler):
    """Answers requests."""

    jobs = Jobs()

    def do_POST(self) -> None:
        """Begin a job."""
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(202, self.jobs.start(self.headers["Idempotency-Key"], order))

    def do_GET(self) -> None:
        """Tell of one job, or of all."""
        number = urlsplit(self.path).path.removeprefix("/jobs").strip("/")
        found = [job for job in self.jobs.found() if number in ("", job["id"])]
        self.answer(200 if found or not number else 404, found[0] if number and found else found)

    def do_DELETE(self) -> None:
        """Cancel the jobs of a machine."""
        self.jobs.cancel(parse_qs(urlsplit(self.path).query)["machine"][0])
        self.answer(200, {})

    def answer(self, status: int, body: Any) -> None:
        """Send JSON."""
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print(f"Building machines on port {server.server_port}", flush=True)  # noqa: T201 - whoever started it waits for it
    server.serve_forever()
