"""Serve the reference broker: `python -m tests.checker.reference --port 8080 [--fault PROV-25]`."""

from __future__ import annotations

import argparse
import socket

import uvicorn
from tests.checker.reference.app import Reference
from tests.checker.reference.door import PASSWORD, USERNAME
from tests.checker.reference.faults import Fault, all_faults


def main() -> None:
    """Serve until Ctrl-C."""
    options = read_options()
    fault = choose_fault(options.fault, options.variant)
    with socket.create_server((options.host, options.port)) as listening:
        address = f"http://{options.host}:{listening.getsockname()[1]}"
        print(f"{address} (user {USERNAME}, password {PASSWORD}); {fault or 'no fault'}", flush=True)  # noqa: T201
        app = Reference(fault=fault, seconds=options.seconds)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


def read_options() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.checker.reference", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 for a free one")
    parser.add_argument("--fault", metavar="RULE", help="the rule to break, such as PROV-25")
    parser.add_argument("--variant", type=int, default=1, help="which of the rule's faults, from 1")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long an operation takes")
    return parser.parse_args()


def choose_fault(rule: str | None, variant: int) -> Fault | None:
    """Return the fault that the command line names."""
    if rule is None:
        return None
    variants = all_faults().get(rule, [])
    if not 0 < variant <= len(variants):
        raise SystemExit(f"{rule} has {len(variants)} faults; known rules: {', '.join(sorted(all_faults()))}")
    return variants[variant - 1]


if __name__ == "__main__":
    main()
