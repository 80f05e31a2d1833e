"""``openbroker poll``: how an operation goes, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .belongings import completing, options

if TYPE_CHECKING:
    from .belongings.desk import Desk


@click.command()
@options.instance_argument
@click.option("--binding", "key", metavar="BINDING", shell_complete=completing.bindings, help="Of this binding.")
@options.waiting_options
@options.broker_options
def poll(name: str, key: str | None, **given: Any) -> None:
    """Ask how the last operation on an instance goes, and wait for its end.

    With --no-wait it is asked once.

    Exit codes: 0 it has succeeded, or goes on with --no-wait; 1 it has failed, or the broker refused; 2 there is no
    such instance, or the broker was not reached; 130 interrupted.
    """
    from .belongings.desk import desk

    with desk(given, name) as at:
        _poll(at, name, key)


def _poll(at: Desk, name: str, key: str | None) -> None:
    from .belongings.desk import recorded_binding, recorded_instance
    from .belongings.instance_deeds import orphan_of
    from .belongings.nature import BIND, NATURES, PROVISION
    from .belongings.printed import report, write_last
    from .belongings.undertaking import Undertaking

    instance = recorded_instance(at, name)
    binding = recorded_binding(instance, key) if key else None
    entry = binding or instance
    subject = at.about(instance.name, binding.name if binding else None)
    orphan = orphan_of(instance, binding)
    if entry.pending is None:
        nature = BIND if binding else PROVISION
        last = at.client.run(Undertaking(nature=nature, subject=subject, orphan=orphan).poll(None))
        write_last(at, entry, last)
        return
    undertaking = Undertaking(nature=NATURES[entry.pending.kind], subject=subject, orphan=orphan)
    report(at, undertaking, at.pursuer().follow(undertaking, entry, entry.pending))
