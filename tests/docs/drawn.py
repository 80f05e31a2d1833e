"""The states of managed brokers, as the documentation shows them: tables, and pictures in mermaid's language."""

from __future__ import annotations

from openbrokerapi.managed.states import BINDING, COURSES, INSTANCE, Asked, Kind, Reaction, State

Table = dict[State, dict[Asked, Reaction]]

_INSTANCE_KINDS = {
    Asked.PUT_SAME: Kind.PROVISION,
    Asked.PUT_OTHER: Kind.PROVISION,
    Asked.PATCH: Kind.UPDATE,
    Asked.DELETE: Kind.DEPROVISION,
}
_BINDING_KINDS = {Asked.PUT_SAME: Kind.BIND, Asked.PUT_OTHER: Kind.BIND, Asked.DELETE: Kind.UNBIND}
_NOWHERE = "[*]"


def instance_table() -> str:
    return _table("instance", INSTANCE)


def binding_table() -> str:
    return _table("binding", BINDING)


def _table(what: str, table: Table) -> str:
    columns = list(table[State.UNKNOWN])
    lines = [f"| the {what} is | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for state, row in table.items():
        lines.append(f"| {state} | " + " | ".join(row[asked].value for asked in columns) + " |")
    return "\n".join(lines)


def courses_table() -> str:
    """Give the states that each kind of operation leads through."""
    lines = ["| operation | in progress | succeeded | failed |", "|---|---|---|---|"]
    for kind, course in COURSES.items():
        lines.append(f"| {kind} | {course.during} | {course.after(True)} | {course.after(False)} |")
    return "\n".join(lines)


def instance_picture() -> str:
    return _picture(INSTANCE, _INSTANCE_KINDS)


def binding_picture() -> str:
    return _picture(BINDING, _BINDING_KINDS)


def _picture(table: Table, kinds: dict[Asked, Kind]) -> str:
    """Draw what requests begin, and where the ends of the operations lead."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{state}" as {_name(state)}' for state in table if state is not State.UNKNOWN]
    begun: dict[tuple[State, Kind], list[Asked]] = {}
    for state, row in table.items():
        for asked, reaction in row.items():
            if reaction.begins and asked in kinds:
                begun.setdefault((state, kinds[asked]), []).append(asked)
    for (state, kind), by in begun.items():
        lines.append(_arrow(state, COURSES[kind].during, _asked(by)))
    for kind in dict.fromkeys((*kinds.values(), Kind.CLEAN_UP)):
        course = COURSES[kind]
        for succeeded in (True, False):
            end = "succeeded" if succeeded else "failed"
            lines.append(_arrow(course.during, course.after(succeeded), f"{kind} {end}"))
    body = "\n".join(lines)
    return f"```mermaid\n{body}\n```"


def _asked(asked: list[Asked]) -> str:
    # A PUT of which it does not matter what it asks for is a PUT.
    return "PUT" if {Asked.PUT_SAME, Asked.PUT_OTHER} <= set(asked) else ", ".join(asked)


def _arrow(before: State, after: State, text: str) -> str:
    return f"    {_name(before)} --> {_name(after)} : {text}"


def _name(state: State) -> str:
    return _NOWHERE if state is State.UNKNOWN else state.replace(" ", "_")
