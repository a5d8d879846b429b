"""Documents: how their values come about, what is wrong with them, and the checks that find it."""

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.office.state import (
    Activity,
    Case,
    Check,
    Field,
    Issue,
    Make,
    Op,
    Rule,
    Severity,
    Stream,
    Verb,
)  # fmt: skip

CODES, FIRST_CODE = 90_000, 10_000  # codes have five digits
FORMS_AT_MOST = 0.6  # severity 1 of changed_form: share of the cases


# -- how they come about


@kernel
def _code(s, lane, value, again):
    return FIRST_CODE + below(CODES, s.seed[lane], value, Stream.CODE, again)


@kernel
def _make(s, lane, params, case, field, values):
    """The value of a field, from those of the fields before it."""
    row, key = params.field[field], np.int64(s.case[lane, case, Case.KEY])
    kind, a, b = np.int64(row[Field.KIND]), np.int64(row[Field.A]), np.int64(row[Field.B])
    chance = uniform(s.seed[lane], key, Stream.FIELD, field)
    if kind == Make.DRAW:
        return a + np.int64(chance * (b - a + 1))
    if kind == Make.COPY:
        return np.int64(values[a])
    if kind == Make.PRODUCT:
        return np.int64(values[a]) * np.int64(values[b])
    if kind == Make.PICK:
        few, within = max(1, a // 5), uniform(s.seed[lane], key, Stream.FIELD + 1, field)
        return 1 + (np.int64(within * few) if chance * 100 < b else few + np.int64(within * (a - few)))
    if kind == Make.CODE:
        return _code(s, lane, np.int64(values[a]), 0)
    if kind == Make.SERIAL:
        return a + case
    low, high = params.times[field, 0], params.times[field, 1]
    return np.int64(np.ceil(values[a] * (low + (high - low) * chance)))


@kernel
def _spoil(s, lane, params, case, number, value, doc):
    """The value of a field with an issue."""
    row, key = params.issue[number], np.int64(s.case[lane, case, Case.KEY])
    op = np.int64(row[Issue.OP])
    if op == Op.ZERO:
        return np.int64(0)
    if op == Op.OTHER:
        other = _code(s, lane, key, 1 + number)
        return other + 1 if other == value else other
    if op == Op.REPEAT:
        if case == 0:
            return value
        return np.int64(s.doc[lane, below(case, s.seed[lane], key, Stream.SIZE + 1, number), row[Issue.FIELD]])
    low, high = params.size[number, 1], params.size[number, 2]
    factor = low + (high - low) * uniform(s.seed[lane], key, Stream.SIZE, number)
    base = value if row[Issue.OF] == row[Issue.FIELD] else np.int64(doc[row[Issue.OF]])
    other = np.int64(np.ceil(base * factor)) if factor > 1.0 else np.int64(base * factor)
    if other == value:
        other = value + 1 if factor > 1.0 else value - 1
    return max(other, np.int64(0))


@kernel
def recompute(params, doc):
    """Write the products of a document anew."""
    for field in range(params.fields):
        row = params.field[field]
        if row[Field.KIND] == Make.PRODUCT:
            doc[field] = doc[row[Field.A]] * doc[row[Field.B]]


@kernel
def draw_documents(s, lane, params, case):
    """The documents of a case, as they should be and as they are. A twin has no issue that makes it infeasible."""
    doc, truth, seed = s.doc[lane, case], s.truth[lane, case], s.seed[lane]
    key = np.int64(s.case[lane, case, Case.KEY])
    twin = key != case
    hit = 0
    for number in range(len(params.issue)):
        spared = params.issue[number, Issue.TWIN] and (twin or case == params.cases - 1)
        if not spared and uniform(seed, key, Stream.ISSUE, number) < params.size[number, 0]:
            hit |= 1 << number
    s.case[lane, case, Case.ISSUES] = hit
    for field in range(params.fields):
        truth[field] = _make(s, lane, params, case, field, truth)
        doc[field] = _make(s, lane, params, case, field, doc)
        for number in range(len(params.issue)):
            if hit >> number & 1 and params.issue[number, Issue.FIELD] == field:
                doc[field] = _spoil(s, lane, params, case, number, np.int64(doc[field]), doc)
    changed = params.severity[Severity.CHANGED_FORM] * FORMS_AT_MOST
    s.case[lane, case, Case.FORM] = 1 if uniform(seed, key, Stream.FORM, 0) < changed else 0


@kernel
def is_twin_of_the_one_before(s, lane, params, case):
    """Whether a case is the feasible twin of the case before it, which is infeasible."""
    if case == 0 or s.case[lane, case - 1, Case.KEY] != case - 1:
        return False
    for number in range(len(params.issue)):
        if params.issue[number, Issue.TWIN] and s.case[lane, case - 1, Case.ISSUES] >> number & 1:
            return True
    return False


@kernel
def present(s, lane, params, case):
    """Bits of the documents that a case has by now."""
    documents = np.int64(params.given)
    for activity in range(params.activities):
        if s.stamp[lane, case, activity] > 0.0:
            documents |= np.int64(params.activity[activity, Activity.BRINGS])
    return documents


# -- checks


@kernel
def _fails(s, lane, params, case, row, actor):
    """Whether a check fails, if the resource ``actor`` does the activity now."""
    doc, rule = s.doc[lane, case], np.int64(row[Check.RULE])
    if rule == Rule.SEPARATE:
        return actor > 0 and s.actor[lane, case, row[Check.LEFT]] == actor
    left = np.int64(doc[row[Check.LEFT]])
    if rule == Rule.PRESENT:
        return left <= 0
    if rule == Rule.UNIQUE:
        for other in range(case):
            if s.doc[lane, other, row[Check.LEFT]] == left:
                return True
        return False
    tolerance = 0.0 if row[Check.TOLERANCE] < 0 else s.policy[lane, row[Check.TOLERANCE]]
    if rule == Rule.AT_MOST_POLICY:
        return left > s.policy[lane, row[Check.RIGHT]]
    right = np.int64(doc[row[Check.RIGHT]])
    if rule == Rule.EQUAL:
        return abs(left - right) > tolerance * right
    return left - right > tolerance * right


@kernel
def checks_of(params, activity):
    """The numbers of the checks of an activity."""
    first = np.int64(params.activity[activity, Activity.CHECK])
    return range(first, first + np.int64(params.activity[activity, Activity.CHECKS]))


@kernel
def failing(s, lane, params, case, activity, actor):
    """Bits of the checks of an activity that fail and that no manager has settled; bit k is check k of the process."""
    found = 0
    for k in checks_of(params, activity):
        open_ = params.applies[s.case[lane, case, Case.FLOW], k] and not s.case[lane, case, Case.CLEARED] >> k & 1
        if open_ and _fails(s, lane, params, case, params.check[k], actor):
            found |= 1 << k
    return found


@kernel
def is_barred(s, lane, params, case, activity, resource):
    """Whether a check asks for other hands than this resource's."""
    for k in checks_of(params, activity):
        row = params.check[k]
        if row[Check.RULE] == Rule.SEPARATE and not s.case[lane, case, Case.CLEARED] >> k & 1:
            if s.actor[lane, case, row[Check.LEFT]] == resource:
                return True
    return False


@kernel
def bits_of(params, activity):
    """Bits of the checks of an activity."""
    checks = checks_of(params, activity)
    return ((1 << len(checks)) - 1) << checks.start


@kernel
def unreadable(s, lane, params, case, activity):
    """Bits of the checks that a tool cannot make, because the case came on another form."""
    if s.case[lane, case, Case.FORM] == 0:
        return 0
    found = 0
    for k in checks_of(params, activity):
        row = params.check[k]
        if row[Check.RULE] != Rule.SEPARATE and params.field[row[Check.LEFT], Field.TURNED] != row[Check.LEFT]:
            found |= 1 << k
    return found


@kernel
def remedy(params, bits):
    """The right verb if these checks fail: reject, else escalate, else ask; WAIT: none fails."""
    found = np.int64(Verb.WAIT)
    for k in range(len(params.check)):
        if bits >> k & 1:
            own = np.int64(params.check[k, Check.REMEDY])
            if own == Verb.REJECT:
                return own
            if found != Verb.ESCALATE:
                found = own
    return found


@kernel
def correct(s, lane, params, case, bits):
    """Write what the fields should say into the documents, for the checks in ``bits``."""
    for k in range(len(params.check)):
        row = params.check[k]
        if bits >> k & 1 and row[Check.RULE] <= Rule.PRESENT:
            s.doc[lane, case, row[Check.LEFT]] = s.truth[lane, case, row[Check.LEFT]]
    recompute(params, s.doc[lane, case])


@kernel
def must_be_rejected(s, lane, params, case):
    """Whether nothing but a rejection is right by what is known so far: a request that cannot be met, a duplicate."""
    for activity in range(params.activities):
        for k in checks_of(params, activity):
            known = s.visits[lane, case, activity] > 0 and params.applies[s.case[lane, case, Case.FLOW], k]
            if known and params.check[k, Check.REMEDY] == Verb.REJECT:
                if _fails(s, lane, params, case, params.check[k], 0):
                    return True
    return False


@kernel
def cents_wrong(s, lane, params, case, bits):
    """The largest sum that the failing checks in ``bits`` cost, in cents."""
    most, doc = np.int64(0), s.doc[lane, case]
    for k in range(len(params.check)):
        row = params.check[k]
        if bits >> k & 1 and row[Check.MORE] >= 0:
            less = np.int64(0) if row[Check.LESS] < 0 else np.int64(doc[row[Check.LESS]])
            most = max(most, np.int64(doc[row[Check.MORE]]) - less)
    return most
