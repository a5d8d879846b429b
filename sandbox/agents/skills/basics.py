# ruff: noqa: F821  (have, knows, toward, legal, began and act are the host's)
"""The functions that every skill uses. Programs contain this text; no module imports it."""

REFLEXES = []  # learned pairs: kind of thing that hurts, the skill against it
FELT = {"health": 9, "busy": False}


def guard():
    """Who is hurt turns on what hurts, if there is a skill against it."""
    hurt, FELT["health"] = have("health") < FELT["health"], have("health")
    if not hurt or FELT["busy"]:
        return
    FELT["busy"] = True
    for foe, skill in REFLEXES:
        if knows(foe):
            skill()
    FELT["busy"] = False


def near(place, by=None, patience=120):
    """Go where a kind of thing is straight ahead, looking for one where none is known; whether that came to pass."""
    for _ in range(patience):
        guard()
        step = toward(place, by)
        if step == "":
            return True
        if step is None:
            return False
        act(step)
    return False


def need(what, skill, amount):
    """Use a skill until there is enough of what it yields."""
    for _ in range(2 * amount):
        if have(what) >= amount:
            return True
        skill()
    return have(what) >= amount


def pursue(what, place, by, verbs, rounds):
    """At a kind of place do the first of these verbs that has an effect, until there is more of what is wanted."""
    before = have(what)
    for _ in range(rounds):
        if place and not near(place, by):
            return False
        began(what)
        able = legal()
        while len(able) == 1:  # only one action is legal, as during sleep: wait
            act(list(able)[0])
            able = legal()
        chosen = [verb for verb in verbs if verb in able]
        if not chosen:
            return False
        act(chosen[0])
        if have(what) > before:
            return True
    return False
