"""The office as text: the board, the work item on the desk, the verbs as tool schemas."""

import numpy as np

from sandbox.core.telling import offer
from sandbox.core.world import Observation
from sandbox.engine.kernel import twin
from sandbox.worlds.office.compiler import Labels, labels
from sandbox.worlds.office.dynamics.documents import checks_of
from sandbox.worlds.office.state import (
    ABSENT,
    FIRST_POLICY,
    MOST_CHECKS,
    SIDE,
    SLOTS,
    Check,
    Column,
    Field,
    Flag,
    Found,
    Params,
    Rule,
    Unit,
    Verb,
)  # fmt: skip

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MEANING = {
    Verb.WAIT: "Wait until something happens.",
    Verb.TAKE: "Take the work item in this tray onto your empty desk; then you see its documents.",
    Verb.COMPLETE: "The activity of the work item on your desk is done; the case goes on.",
    Verb.MATCH: "Compare the documents of the work item on your desk by every check of its activity.",
    Verb.APPROVE: "Approve the work item on your desk; the case goes on.",
    Verb.REJECT: "Reject the work item on your desk: the case ends.",
    Verb.ASK: "Ask the other side to correct its document; the case comes back with the answer.",
    Verb.ESCALATE: "Send the work item on your desk to the manager, who settles what is wrong.",
    Verb.HAND_OVER: "Put the work item on your desk back onto the board, for a colleague.",
}
_FLAGS = {Flag.URGENT: "urgent", Flag.RETURNED: "was begun before", Flag.BARRED: "needs other hands than yours",
          Flag.CLEARED: "settled by the manager"}  # fmt: skip
_FOUND = {Found.HOLDS: "holds", Found.FAILS: "FAILS", Found.UNREADABLE: "cannot be read by the tool",
          Found.SETTLED: "settled by the manager", Found.NONE: "not matched yet"}  # fmt: skip


def tools(params: Params) -> list[dict]:
    """The verbs as JSON schemas; ``target`` is the number of a tray."""
    target = {"type": "integer", "minimum": 0, "maximum": SLOTS - 1, "description": "number of the tray"}
    schemas = []
    for verb in Verb:
        properties = {} if verb == Verb.WAIT else {"target": target}
        schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
        schemas.append({"name": verb.name.lower(), "description": _MEANING[verb], "parameters": schema})
    return schemas


def amount(value: float, unit: int) -> str:
    """A value of a document as people read it."""
    if value == ABSENT:
        return "not there yet"
    return f"{value / 100:,.2f} euros" if unit == Unit.CENTS else f"{value:.0f}"


def moment(clock: float) -> str:
    """A time as "Monday of week 1, 8:00"."""
    day, minutes = divmod(int(clock), 1440)
    return f"{DAYS[day % 7]} of week {day // 7 + 1}, {minutes // 60}:{minutes % 60:02d}"


def board(obs: Observation, lane: int, agent: int, params: Params) -> list[dict]:
    """The work items of the board that an observation shows, by tray, as JSON values."""
    names, window, found = labels(params), obs.window[lane, agent].astype(int), []
    for tray in range(SLOTS):
        activity, rank, holder, age, wait, flags = window[:, tray // SIDE, tray % SIDE].tolist()
        if 0 < activity <= len(names.activities):
            notes = [words for flag, words in _FLAGS.items() if flags & flag]
            found.append({
                "tray": tray, "activity": names.activities[activity - 1], "place_in_line": rank,
                "holder": ("nobody", "you", "a colleague")[min(holder, 2)], "days_since_arrival": age,
                "hours_here": wait, "notes": notes,
            })  # fmt: skip
    return found


def work_item(obs: Observation, lane: int, agent: int, params: Params) -> dict | None:
    """The work item on an agent's desk as JSON values, for tools; None if the desk is empty.

    Amounts are in cents. A field is named by what stands there on the form, so nothing is hidden by a changed form.
    """
    vector, names = obs.vector[lane, agent], labels(params)
    if vector[Column.TRAY] == 0:
        return None
    activity, changed = int(vector[Column.ACTIVITY]) - 1, vector[Column.FORM] > 0
    documents: dict[str, dict[str, int | None]] = {name: {} for name in names.documents}
    for k, row in enumerate(params.field):
        source = int(row[Field.TURNED]) if changed else k
        document, name = names.fields[source].split(".", 1)
        value = float(vector[FIRST_POLICY + params.policies + MOST_CHECKS + k])
        documents[document][name] = None if value == ABSENT else int(value)
    return {
        "tray": int(vector[Column.TRAY]) - 1, "case": int(vector[Column.CASE]), "activity": names.activities[activity],
        "flow": names.flows[int(vector[Column.FLOW]) - 1], "changed_form": bool(changed),
        "documents": {name: own for name, own in documents.items() if any(v is not None for v in own.values())},
        "checks": checks(vector, activity, params),
    }  # fmt: skip


def checks(vector: np.ndarray, activity: int, params: Params) -> list[dict]:
    """The checks of the activity on the desk, and what matching has found."""
    names, found = labels(params), []
    for k, check in enumerate(twin(checks_of)(params, activity)):
        told = Found(int(vector[FIRST_POLICY + params.policies + k]))
        row = params.check[check]
        remedy = Verb(int(row[Check.REMEDY])).name.lower()
        found.append({"check": names.checks[check], "rule": rule(row, names), "result": told.name.lower(),
                      "remedy": remedy})  # fmt: skip
    return found


def rule(row: np.ndarray, names: Labels) -> str:
    """A check as a sentence."""
    kind = Rule(int(row[Check.RULE]))
    if kind == Rule.SEPARATE:
        return f"somebody else did '{names.activities[row[Check.LEFT]]}'"
    left = names.fields[row[Check.LEFT]]
    within = f" within {names.policies[row[Check.TOLERANCE]]}" if row[Check.TOLERANCE] >= 0 else ""
    right = names.policies[row[Check.RIGHT]] if kind == Rule.AT_MOST_POLICY else names.fields[row[Check.RIGHT]]
    return {
        Rule.EQUAL: f"{left} equals {right}{within}", Rule.AT_MOST: f"{left} is at most {right}{within}",
        Rule.AT_MOST_POLICY: f"{left} is at most the {right} of the policy", Rule.PRESENT: f"{left} is there",
        Rule.UNIQUE: f"no earlier case has this {left}",
    }[kind]  # fmt: skip


def _policy(vector: np.ndarray, params: Params) -> str:
    values = vector[FIRST_POLICY : FIRST_POLICY + params.policies]
    told = [
        f"{name} {value:.0%}" if value < 1 else f"{name} {value / 100:,.0f} euros"
        for name, value in zip(labels(params).policies, values.tolist(), strict=True)
    ]
    return ", ".join(told)


def _desk(obs: Observation, lane: int, agent: int, params: Params) -> list[str]:
    item, names = work_item(obs, lane, agent, params), labels(params)
    if item is None:
        return ["Your desk is empty."]
    units = dict(zip(names.fields, params.field[:, Field.UNIT].tolist(), strict=True))
    form = " It came on a form that is new to you: read the names." if item["changed_form"] else ""
    lines = [f"On your desk: tray {item['tray']}, case {item['case']} ({item['flow']}), '{item['activity']}'.{form}"]
    for document, own in item["documents"].items():
        told = ", ".join(
            f"{name.replace('_', ' ')} {amount(ABSENT if value is None else value, units[f'{document}.{name}'])}"
            for name, value in own.items()
        )
        lines.append(f"  {document}: {told}.")
    for each in item["checks"]:
        lines.append(f"  check '{each['check']}' ({each['rule']}; if not: {each['remedy']}): "
                     f"{_FOUND[Found[each['result'].upper()]]}.")  # fmt: skip
    return lines


def render_text(obs: Observation, lane: int, agent: int, params: Params) -> str:
    """What one agent sees, in sentences. The text says nothing that is not in the arrays."""
    vector, names = obs.vector[lane, agent], labels(params)
    lines = [
        f"You are agent {agent}, a clerk in an office: {names.title.lower()}. It is {moment(vector[Column.CLOCK])}.",
        f"Cases: {vector[Column.OPEN]:.0f} open, {vector[Column.CLOSED]:.0f} of {vector[Column.CASES]:.0f} closed.",
    ]
    if params.policies:
        lines.append(f"The policy in force: {_policy(vector, params)}.")
    if vector[Column.BUSY]:
        verb = Verb(int(vector[Column.BUSY])).name.lower().replace("_", " ")
        return "\n".join([*lines, f"You are busy ({verb}).", "You can: wait."])
    lines += _desk(obs, lane, agent, params)
    items = board(obs, lane, agent, params)
    lines.append("The board of the team:" if items else "The board of the team is empty.")
    for each in items:
        place = f"place {each['place_in_line']} in line"
        if each["holder"] != "nobody":
            place = "on your desk" if each["holder"] == "you" else "on the desk of a colleague"
        notes = f"; {', '.join(each['notes'])}" if each["notes"] else ""
        lines.append(f"[{each['tray']}] '{each['activity']}', {place}, arrived {each['days_since_arrival']} days ago, "
                     f"here for {each['hours_here']} hours{notes}")  # fmt: skip
    return "\n".join([*lines, offer(Verb, obs.mask[lane, agent].reshape(len(Verb), SLOTS))])
