# ruff: noqa: F821  (verbs and see() come from the world)
# Walk to the nearest tree that is known, step by step; collect; table; pickaxe.
STEPS = {(0, -1): move_left, (0, 1): move_right, (-1, 0): move_up, (1, 0): move_down}


def toward(symbols):
    """The first step to the nearest cell with one of these symbols, over land; None if there is none."""
    seen = see()
    rows, player = seen["terrain"], seen["players"][me()]
    start = (player["row"], player["col"])
    came, queue = {start: None}, [start]
    for cell in queue:
        for step in STEPS:
            beside = (cell[0] + step[0], cell[1] + step[1])
            if beside in came or not (0 <= beside[0] < len(rows) and 0 <= beside[1] < len(rows[0])):
                continue
            came[beside] = (cell, step)
            symbol = rows[beside[0]][beside[1]]
            if symbol in symbols:
                while came[beside][0] != start:
                    beside = came[beside][0]
                return came[beside][1]
            if symbol in ".:,":
                queue.append(beside)
    return None


def have(item):
    return see()["players"][me()]["inventory"][item]


def collect(symbols, item, amount):
    while have(item) < amount:
        step = toward(symbols) or toward("?")
        STEPS[step]()
        do()


collect("T", "wood", 3)
while "place_table" not in legal():
    move_down()
    move_left()
place_table()
make_wood_pickaxe()
