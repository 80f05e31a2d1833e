"""A place in the record: that of an instance, or of a binding of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, cast

from .record import Binding, Entry, Instance, Record
from .record_file import RecordError, RecordFile


@dataclass(frozen=True)
class Subject:
    """What an undertaking is about.

    Attributes:
        file: Where the record is.
        broker: The address of the broker.
        name: The instance's name.
        binding: The binding's name; None for the instance itself.
    """

    file: RecordFile
    broker: str
    name: str
    binding: str | None = None

    def __str__(self) -> str:
        return self.name if self.binding is None else f"{self.binding} of {self.name}"

    def command(self, verb: str) -> str:
        """Give the command that an operator would type, such as for the verb ``poll``."""
        words = ["openbroker", verb, self.name]
        if self.binding is not None:
            words += ["--binding", self.binding] if verb == "poll" else [self.binding]
        return shlex.join(words)

    def load(self) -> Entry | None:
        """Read what the record has there, or None."""
        return self._in(self.file.read())

    def save(self, entry: Entry | None) -> None:
        """Put an entry there, or (None) take it out."""
        self.file.change(lambda record: self._with(record, entry))

    def begin(self, entry: Entry, before: Entry | None) -> None:
        """Put an entry there, unless another command has changed it meanwhile.

        Raises:
            RecordError: It is not as it was before.
        """

        def change(record: Record) -> Record:
            if self._in(record) != before:
                raise RecordError(
                    f"another command does something with {self} just now; look with `openbroker instances`"
                )
            return self._with(record, entry)

        self.file.change(change)

    def _in(self, record: Record) -> Entry | None:
        found = next(iter(record.named(self.name, self.broker)), None)
        return found if found is None or self.binding is None else found.binding(self.binding)

    def _with(self, record: Record, entry: Entry | None) -> Record:
        if self.binding is None:
            return record.with_instance(self.broker, self.name, cast("Instance | None", entry))
        found = record.named(self.name, self.broker)
        if not found:  # somebody has taken the instance out meanwhile: so its bindings are gone, too
            return record
        changed: Any = found[0].with_binding(self.binding, cast("Binding | None", entry))
        return record.with_instance(self.broker, self.name, changed)
