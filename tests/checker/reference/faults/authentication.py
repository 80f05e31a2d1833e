"""Faults about who is let in."""

from __future__ import annotations

import base64
from dataclasses import replace

from tests.checker.reference.app import Reference
from tests.checker.reference.door import BASIC, PASSWORD, USERNAME
from tests.checker.reference.faults import fault, fault_before, fault_setting
from tests.checker.reference.wire import SECOND, Call, Reply


def let_in(call: Call) -> Call:
    """Return a call with the credentials of its platform."""
    return replace(call, headers={**call.headers, "authorization": BASIC[call.platform]})


def is_anonymous(call: Call) -> bool:
    """Tell whether a call bears no credentials."""
    return "authorization" not in call.headers


def read_basic(call: Call) -> tuple[str, str, str]:
    """Return username, colon and password of a call, empty where there are none."""
    try:
        text = base64.b64decode(call.headers.get("authorization", "").removeprefix("Basic "), validate=True).decode()
    except ValueError:
        text = ""
    return text.partition(":")


@fault_before("AUTH-02", "lets anybody poll a binding")
def let_poll(call: Call, broker: Reference) -> Call | None:
    return let_in(call) if is_anonymous(call) and call.endpoint == "poll_binding" else None


@fault("AUTH-02", "answers 403 to a fetch without credentials")
def forbid(call: Call, reply: Reply, broker: Reference) -> Reply:
    good_version = "x-broker-api-version" in call.headers
    known = call.instance_id in broker.instances(call)
    if call.endpoint == "fetch_instance" and is_anonymous(call) and good_version and known:
        return reply.having(status=403)
    return reply


@fault_before("AUTH-03", "looks at the username only")
def trust_name(call: Call, broker: Reference) -> Call | None:
    return let_in(call) if read_basic(call)[0] == USERNAME and call.platform == "" else None


@fault_before("AUTH-03", "looks at the password only, for a bind")
def trust_password(call: Call, broker: Reference) -> Call | None:
    return let_in(call) if call.endpoint == "bind" and read_basic(call)[2] == PASSWORD else None


@fault("AUTH-04", "answers 400 to credentials that are not Base64")
def refuse_form(call: Call, reply: Reply, broker: Reference) -> Reply:
    return reply.having(status=400) if call.headers.get("authorization") == "Basic ***" else reply


@fault("AUTH-04", "breaks on credentials without a colon")
def break_without_colon(call: Call, reply: Reply, broker: Reference) -> Reply:
    name, colon, _ = read_basic(call)
    return reply.having(status=500) if name and not colon and reply.status == 401 else reply


@fault_before("AUTH-04", "lets in whoever names a scheme that it does not know")
def trust_strangers(call: Call, broker: Reference) -> Call | None:
    scheme = call.headers.get("authorization", "basic").partition(" ")[0].lower()
    return None if scheme in ("basic", "bearer") else let_in(call)


fault_setting("AUTH-05", "does not take the token that was agreed upon", accept_token=False)


@fault_before("AUTH-05", "takes any token")
def trust_tokens(call: Call, broker: Reference) -> Call | None:
    return let_in(call) if call.headers.get("authorization", "").startswith("Bearer ") else None


fault_setting("AUTH-06", "looks at the credentials last", authenticate_first=False)


@fault("AUTH-06", "answers 404 to anybody who fetches an instance that does not exist", at="fetch_instance")
def show_what_exists(call: Call, reply: Reply, broker: Reference) -> Reply:
    unknown = reply.status == 401 and call.instance_id not in broker.instances(call)
    return reply.having(status=404) if unknown else reply


fault_setting("AUTH-07", "keeps what is created without credentials", keep_unauthenticated_creation=True)


@fault("AUTH-07", "answers 401 to a DELETE without credentials, and deletes")
def delete_all_the_same(call: Call, reply: Reply, broker: Reference) -> Reply:
    if call.endpoint == "deprovision" and is_anonymous(call):
        broker.handle(let_in(call))
    return reply


@fault_before("AUTH-08", "shows the catalog to anybody", also={"AUTH-02"})
def show_catalog(call: Call, broker: Reference) -> Call | None:
    open_to_all = call.endpoint == "catalog" and is_anonymous(call) and "x-broker-api-version" in call.headers
    return let_in(call) if open_to_all else None


fault_setting("AUTH-10", "does not know the second platform", serve_second_platform=False)


@fault_before("AUTH-10", "lets anybody in at the second platform's address")
def trust_second(call: Call, broker: Reference) -> Call | None:
    return let_in(call) if call.platform == SECOND else None


fault_setting("AUTH-11", "does not say how to authenticate", challenge=False)
