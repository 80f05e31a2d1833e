"""A checker for brokers in any language: it is a platform, and looks at what the broker answers.

It shares no code with the broker side of this package: a checker that read its tables would share its mistakes.
"""

from .checker import CannotCheck, Checker, Listener, Options
from .cooperation import BadFile, Cooperation
from .ledger import Finding, LeftBehind, Report, RuleResult, Verdict
from .rules import Level, Rule, all_rules
from .wire import Credentials

__all__ = [
    "BadFile",
    "CannotCheck",
    "Checker",
    "Cooperation",
    "Credentials",
    "Finding",
    "LeftBehind",
    "Level",
    "Listener",
    "Options",
    "Report",
    "Rule",
    "RuleResult",
    "Verdict",
    "all_rules",
]
