"""The life of a binding on a simulated platform, as conversations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import calls
from .answers import Binding, Bound, Unbound
from .conversation import Ask, Conversation, ask
from .errors import Gone, NotAllowed, PlatformError
from .habits import left_behind
from .orphans import Orphan
from .polling import wait_for_binding
from .reading import Call
from .request import Endpoint

if TYPE_CHECKING:
    from .instance_life import InstanceLife


class BindingLife:
    """A binding that the platform remembers.

    Attributes:
        id: Its id.
        details: What the broker said of it: the credentials and the rest; None as long as nobody knows.
        deleted: Whether it is gone.
    """

    def __init__(self, instance: InstanceLife[Any], binding_id: str) -> None:
        self._instance = instance
        self.id = binding_id
        self.details: Bound | Binding | None = None
        self.deleted = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} of {self._instance.id}>"

    @property
    def credentials(self) -> Mapping[str, Any]:
        """Give what the application connects with; empty if the broker gave none, or cannot be asked."""
        return (self.details.credentials if self.details is not None else None) or {}

    @property
    def expires_at(self) -> datetime | None:
        """Give when it ends, or None."""
        metadata = self.details.metadata if self.details is not None else None
        return None if metadata is None else metadata.expires_at

    def creating(self, call: Call[Bound]) -> Conversation[None]:
        """Bind, or rotate; wait, fetch the credentials, clean up after a failure.

        Raises:
            PlatformError: it was not made, or its credentials cannot be had.
        """
        self._instance.bindings[self.id] = self
        try:
            answer = yield from ask(call)
            if answer.in_progress:
                yield from self._waiting(answer)
        except PlatformError as error:
            yield from self._after_failed_creation(error)
            raise
        self.details = None if answer.in_progress else answer
        # LOB-19: now it can be had, and the 202 did not bring it.
        if answer.in_progress and self._instance.offering.bindings_retrievable:
            yield from self.fetching()

    def _after_failed_creation(self, error: PlatformError) -> Conversation[None]:
        habits = self._instance.habits
        yield from habits.mitigating(Endpoint.BIND, error, self._orphan())
        if not left_behind(Endpoint.BIND, error):
            self._forget()

    def fetching(self) -> Conversation[Binding]:
        """Fetch it (section "Fetching a Service Binding").

        Returns:
            The binding, with its credentials.

        Raises:
            NotAllowed: the offering does not say ``bindings_retrievable``.
            PlatformError: it cannot be had now; the platform remembers it all the same (GETB-08).
        """
        instance = self._instance
        if not instance.offering.bindings_retrievable:
            raise NotAllowed(f"bindings of {instance.offering.name} cannot be fetched", endpoint=Endpoint.FETCH_BINDING)
        call = calls.fetch_binding(instance.id, self.id, service_id=instance.offering.id, plan_id=instance.plan.id)
        found = yield from ask(call)
        self.details = found
        return found

    def checking_rotation(self) -> Conversation[None]:
        """See to it that this binding may be rotated.

        Raises:
            NotAllowed: the plan does not say ``binding_rotatable`` (ROT-01), or the binding is gone or expired.
        """
        now = datetime.fromtimestamp((yield Ask.DATE), UTC)
        if not self._instance.plan.binding_rotatable:
            raise NotAllowed(f"bindings of {self._instance.plan.name} cannot be rotated", endpoint=Endpoint.BIND)
        if self.deleted or (self.expires_at is not None and self.expires_at <= now):
            raise NotAllowed(f"the binding {self.id} is deleted or expired", endpoint=Endpoint.BIND)

    def deleting(self) -> Conversation[None]:
        """Unbind, and wait until it is gone (section "Unbinding").

        Raises:
            PlatformError: it is still there, as far as the platform knows (UNB-16).
        """
        if self.deleted:
            return
        instance = self._instance
        try:
            answer = yield from ask(calls.unbind(instance.id, self.id, instance.offering.id, instance.plan.id))
            if answer.in_progress:
                yield from self._waiting(answer)
        except Gone:
            pass
        except PlatformError as error:
            if not (yield from instance.habits.mitigating(Endpoint.UNBIND, error, self._orphan())):
                raise
        self._forget()

    def _waiting(self, answer: Bound | Unbound) -> Conversation[object]:
        instance = self._instance
        return wait_for_binding(
            instance.id,
            self.id,
            service_id=instance.offering.id,
            plan_id=instance.plan.id,
            operation=answer.operation,
            deleting=isinstance(answer, Unbound),
            retry_after=answer.retry_after,
            maximum_polling_duration=instance.plan.maximum_polling_duration,
            polling=instance.habits.polling,
            on_poll=instance.habits.on_poll,
            on_trouble=instance.habits.on_trouble,
        )

    def _orphan(self) -> Orphan:
        instance = self._instance
        return Orphan(
            instance_id=instance.id,
            binding_id=self.id,
            service_id=instance.offering.id,
            plan_id=instance.plan.id,
            maximum_polling_duration=instance.plan.maximum_polling_duration,
        )

    def _forget(self) -> None:
        self.deleted = True
        self._instance.bindings.pop(self.id, None)
