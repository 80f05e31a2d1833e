"""The request filters of 4.7.3, for applications that hang them into Flask themselves. Needs the extra ``flask``."""

from __future__ import annotations

import logging

from .helper import to_json_response, version_tuple
from .response import ErrorResponse
from .settings import MIN_VERSION
from .web.flask import check_originating_identity, check_version, print_request, requires_application_json

__all__ = [
    "MIN_VERSION",
    "ErrorResponse",
    "check_originating_identity",
    "check_version",
    "logger",
    "print_request",
    "requires_application_json",
    "to_json_response",
    "version_tuple",
]

logger = logging.getLogger(__name__)
