"""System tests of managed brokers: real processes, real databases, and everything that goes wrong in between.

They show that a broker of :mod:`openbrokerapi.managed` loses nothing::

    python -m tests.system kill  [--rounds 10] [--store sqlite|postgresql]
    python -m tests.system chaos [--seed 1] [--small]
    python -m tests.system crash [--store sqlite|postgresql] [--fault "kill before"] [--first 1] [--every 1]
    python -m tests.system race  [--rounds 1000] [--store sqlite|postgresql]

Each prints what happened, and ends with 1 if anything happened that must not.

* **kill**: 200 operations of three steps over two replicas on PostgreSQL, one of which is killed with SIGKILL in the
  middle; on SQLite over one process, which is killed and started again. All succeed; what was finished is not done
  again; what the dead process had is taken up within its lease and two seconds, on SQLite within one second of the
  start.
* **chaos**: three replicas are killed at random and replaced, PostgreSQL is stopped hard, a replica is frozen past its
  lease and woken. Every operation ends, once; no two of one instance ever run side by side.
* **crash**: the process dies before, and after, each call of its store in turn. After its restart and the platform's
  repeated request the state table holds, and nothing is left that no row knows.
* **race**: 16 clients ask at once. One is first; all are answered as the state table says.

How it is seen: the broker (broker.py) appends a line to a journal for each beginning and end of a handler or a step;
the harness appends what it did to the processes. journal.py judges the lines, state.py the rows of the store. The
platform (simulated_platform.py) asks again when it is not answered, as real ones do.

What may happen: a step that was under way when its process died, or whose end was not yet written, is done again. A
process that was frozen past its lease finishes the step in which it was, and nothing after it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator

from tests.system import chaos, crash, kill, race
from tests.system.replicas import Stores, new_place, stores

_KINDS = ("sqlite", "postgresql")
#: More violations than these are not shown.
_SHOWN = 20


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _told(results: Iterable[tuple[object, list[str]]]) -> bool:
    """Print results, and what is wrong with them; tell whether nothing is."""
    good = True
    for result, violations in results:
        _say(f"{'ok  ' if not violations else 'BAD '} {result}")
        for each in violations[:_SHOWN]:
            _say(f"       {each}")
        good = good and not violations
    return good


def _kill(given: Stores, options: argparse.Namespace) -> Iterator[tuple[object, list[str]]]:
    for _ in range(options.rounds or 10):
        with new_place() as place:
            result = kill.round_of(
                given, place, count=options.count, concurrency=options.concurrency, lease=options.lease
            )
        yield result, result.violations


def _chaos(given: Stores, options: argparse.Namespace) -> Iterator[tuple[object, list[str]]]:
    for number in range(options.rounds or 1):
        seed = options.seed + number
        _say(f"     seed {seed}")
        with new_place() as place:
            result = chaos.run(given, place, chaos.SMALL if options.small else chaos.FULL, seed)
        _say("     " + ", ".join(f"{count} x {answer}" for answer, count in sorted(result.answers.items())))
        yield result, result.violations


def _crash(given: Stores, options: argparse.Namespace) -> Iterator[tuple[object, list[str]]]:
    for fault in [options.fault] if options.fault else crash.FAULTS:
        for one in crash.series(given, fault, first=options.first, every=options.every):
            yield one, one.violations


def _race(given: Stores, options: argparse.Namespace) -> Iterator[tuple[object, list[str]]]:
    with new_place() as place:
        for result in race.run(given, place, options.rounds or 1000):
            yield result, result.violations


_COMMANDS: dict[str, Callable[[Stores, argparse.Namespace], Iterator[tuple[object, list[str]]]]] = {
    "kill": _kill,
    "chaos": _chaos,
    "crash": _crash,
    "race": _race,
}


def main() -> int:
    """Run one of them; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.system", description="System tests of managed brokers.")
    parser.add_argument("what", choices=_COMMANDS)
    parser.add_argument("--store", choices=_KINDS, help="both, if it is not given")
    parser.add_argument("--rounds", type=int, help="kill: 10, chaos: 1, race: 1000")
    parser.add_argument("--seed", type=int, default=1, help="of chaos")
    parser.add_argument("--small", action="store_true", help="chaos as the test suite has it")
    parser.add_argument("--count", type=int, default=200, help="operations of kill")
    parser.add_argument("--concurrency", type=int, default=100, help="operations at once in a process, of kill")
    parser.add_argument("--lease", type=float, default=10.0, help="seconds, of kill")
    parser.add_argument("--fault", choices=crash.FAULTS, help="of crash; all, if it is not given")
    parser.add_argument("--first", type=int, default=1, help="the first call of crash")
    parser.add_argument("--every", type=int, default=1, help="only every so many calls of crash")
    options = parser.parse_args()
    good = True
    kinds = ("postgresql",) if options.what == "chaos" else _KINDS
    for kind in [options.store] if options.store else kinds:
        _say(f"{options.what} on {kind}")
        with stores(kind) as given:
            good = _told(_COMMANDS[options.what](given, options)) and good
    _say("nothing is wrong" if good else "something is WRONG, see above")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
