"""A file for the broker's help, written from its catalog: everything in it is a comment until somebody says more."""

from __future__ import annotations

import json
from textwrap import wrap
from uuid import uuid4

from .asking import Asking
from .catalog_view import CatalogView, Plan
from .checker import catalog_answer
from .cooperation import HOW_TO_GET, Cooperation
from .subjects import choose
from .wire import Credentials, Sender

_HEAD = """\
# What `openbroker check` cannot see in a catalog. Without a file it chooses the first plans of each offering, and
# makes parameters from their schemas. With `plans`, exactly these are used.
"""

_BROKER = """
# Of the broker as a whole; each line shows some more rules.
#broker:
#  minimum_version: "2.13"          # the oldest version that it serves (VER-02, VER-03)
#  token: the-token                 # of bearer authentication (AUTH-05)
#  second_platform: {url: https://host/other-prefix, username: other, password: other}   # AUTH-10
#  restart: {command: systemctl restart broker}      # or {post: /path}; it must be back at the end (CAT-03)
#  change_catalog: {command: ./change-catalog}       # CAT-04, CAT-11
#  restore_catalog: {command: ./restore-catalog}
#  request_log: {file: /var/log/broker.log}          # or {get: /path} (RID-02)
"""


async def template_of(sender: Sender, credentials: Credentials) -> str:
    """Fetch the catalog and write the file.

    Raises:
        CannotCheck: No catalog can be had.
    """
    answer = await catalog_answer(sender, Asking("2.17", credentials, lambda: str(uuid4())))
    catalog = CatalogView(answer.json)
    plans = [_plan(subject.plan) for subject in choose(catalog, Cooperation())]
    return _HEAD + _traits() + "plans:\n" + "".join(plans) + _BROKER


def _traits() -> str:
    lines = ["#", "# Traits, each of which shows some more rules:"]
    for trait, how in HOW_TO_GET.items():
        first, *rest = wrap(how, 92)
        lines += [f"#   {trait:20} {first}", *(f"#   {'':20} {line}" for line in rest)]
    return "\n".join(lines) + "\n"


def _plan(plan: Plan) -> str:
    lines = [
        f"  - service: {json.dumps(plan.offering.name or plan.offering.id)}",
        f"    plan: {json.dumps(plan.name or plan.id)}",
        "    #parameters: {}          # of a provision; other_parameters, which are good, too; bad_parameters",
        "    #update_parameters: {}   # of an update; bad_update_parameters",
        "    #bind_parameters: {}     # of a bind; other_bind_parameters, bad_bind_parameters",
        "    #update_to: other-plan   # a change that is allowed; update_not_to: one that is refused",
        "    traits: []",
    ]
    return "\n".join(lines) + "\n"
