"""Log lines that say which request they belong to."""

from __future__ import annotations

import logging
from contextvars import ContextVar

#: The identity of the request that is being answered (section "Request Identity"), or None.
request_identity: ContextVar[str | None] = ContextVar("request_identity", default=None)

FORMAT = "%(asctime)s [%(threadName)s] %(levelname)-8s %(name)s [%(request_identity)s] %(message)s"
_NOBODY = "-"


class RequestIdentityFilter(logging.Filter):
    """Gives every record the attribute ``request_identity``, ``-`` outside of a request (RID-02).

    Put it on a handler to have it on every line that the handler writes, whichever logger it came from.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the attribute; nothing is held back."""
        record.request_identity = request_identity.get() or _NOBODY
        return True


def basic_config(logger: logging.Logger = logging.root, level: int = logging.INFO) -> logging.Logger:
    """Write the lines of ``logger`` from ``level`` on to standard error, each with its request's identity.

    Returns:
        The logger.
    """
    logger.setLevel(level)
    handler = logging.StreamHandler()
    handler.addFilter(RequestIdentityFilter())
    handler.setFormatter(logging.Formatter(FORMAT))
    logger.addHandler(handler)
    return logger
