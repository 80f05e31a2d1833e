"""What a managed broker does differently from another one."""

from __future__ import annotations

from dataclasses import dataclass

_DAY = 86_400.0
_NUMBERS = (
    *("answer_within", "sync_timeout", "lease", "look_after_every", "stop_within"),
    *("concurrency", "keep_operations", "keep_events"),
)


@dataclass(frozen=True, kw_only=True)
class ManagedSettings:
    """The settings of a managed broker; all times are in seconds.

    Attributes:
        answer_within: Work that is done by then is answered at once; what takes longer becomes asynchronous.
        sync_timeout: How long a request without ``accepts_incomplete`` waits; then the work is stopped and rolled back.
        lease: How long a worker that died, or was frozen, keeps its operations from the other replicas.
        look_after_every: How often unheld, late and expired things are looked for.
        stop_within: How long running steps have to end when the process is stopped.
        concurrency: Most operations at once in a process, and so most threads for plain methods.
        deleted_is_gone: The end of an asynchronous deletion is polled as 410 (LOI-13); False: as 200 "succeeded".
        keep_operations: How long finished operations can still be polled.
        keep_events: How long the audit is kept.

    Raises:
        TypeError: A value is no number.
        ValueError: A value cannot be.
    """

    answer_within: float = 0.5
    sync_timeout: float = 60.0
    lease: float = 10.0
    look_after_every: float = 1.0
    stop_within: float = 30.0
    concurrency: int = 100
    deleted_is_gone: bool = True
    keep_operations: float = 30 * _DAY
    keep_events: float = 365 * _DAY

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            if not isinstance(getattr(self, name), (int, float)):
                raise TypeError(f"{name} must be a number, not {type(getattr(self, name)).__name__}")
        for name in ("lease", "look_after_every", "concurrency"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0")
        for name in ("answer_within", "sync_timeout", "stop_within", "keep_operations", "keep_events"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
