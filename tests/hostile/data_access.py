"""Attacks through declared state: keys and positions of another shape, indexes that would lie, rows that cost nothing."""

from tests.hostile.frame import Case

BOX = 'boxes.add(Box(box_id="a", owner=ctx.sender, seal="s"))\n'
MOVE = 'moves.append("a", Move())\n'

CONTAINED = {
    "data access: a log read by half of its key": Case('berths.append(("a", 1), Move())\nxs = berths.scan("a")', "CONTRACT_FAULT"),
    "data access: the last entry by half of a key": Case('berths.append(("a", 1), Move())\nx = berths.last("a")', "CONTRACT_FAULT"),
    "data access: entries counted by half of a key": Case('n = berths.count("a")', "CONTRACT_FAULT"),
    "data access: an entry under half of a key": Case('berths.append("a", Move())', "CONTRACT_FAULT"),
    "data access: an entry under more than a key": Case('moves.append(("a", 1), Move())', "CONTRACT_FAULT"),
    "data access: an entry of another record": Case('moves.append("a", Line())', "CONTRACT_FAULT"),
    "data access: a position that is a truth value": Case('xs = moves.scan("a", start=True)', "CONTRACT_FAULT"),
    "data access: a position beyond any": Case('xs = moves.scan("a", start=2**63)', "INTEGER_OUT_OF_RANGE"),
    "data access: a position that is text": Case('xs = moves.scan("a", end="b")', "CONTRACT_FAULT"),
    "data access: fewer entries than none": Case('xs = moves.scan("a", limit=-1)', "CONTRACT_FAULT"),
    "data access: a limit that is a truth value": Case("xs = boxes.scan(limit=True)", "CONTRACT_FAULT"),
    "data access: an entry changed after it was appended": Case(
        MOVE + 'x = moves.last("a")\nx.berth = 1\nmoves.append("a", x)\nrequire(moves.scan("a")[0].berth == 1, "AS_IT_WAS")', "AS_IT_WAS"
    ),
    "data access: one seal on two boxes": Case(BOX + 'boxes.add(Box(box_id="b", owner=ctx.sender, seal="s"))', "SEAL_TAKEN"),
    "data access: a seal taken by a change": Case(
        BOX + 'b = Box(box_id="b", owner=ctx.sender)\nboxes.add(b)\nb.seal = "s"\nboxes.save(b)', "SEAL_TAKEN"
    ),
    "data access: a key changed under its indexes": Case(BOX + 'b = boxes["a"]\nb.box_id = "b"\nboxes.save(b)', "NOT_FOUND"),
    "data access: a seal of a box that is gone": Case(BOX + 'boxes.delete("a")\nb = box_of_seal["s"]', "NOT_FOUND"),
    "data access: a weight that is text": Case('boxes.add(Box(box_id="a", owner=ctx.sender, weight="1"))', "CONTRACT_FAULT"),
    "data access: a weight of 65 bits": Case('boxes.add(Box(box_id="a", owner=ctx.sender, weight=2**63))', "INTEGER_OUT_OF_RANGE"),
    "data access: an index asked with another type": Case("xs = boxes_by_owner.scan(prefix=1)", "CONTRACT_FAULT"),
    "data access: an index asked with more than a row": Case('xs = boxes_by_owner.scan(start=("a", 1, "b", 2))', "CONTRACT_FAULT"),
    "data access: an index gone on with half a row": Case("xs = boxes_by_owner.scan(after=(ctx.sender, 1))", "CONTRACT_FAULT"),
    "data access: a constraint asked with a tuple": Case('b = box_of_seal.get(("s",))', "CONTRACT_FAULT"),
    "data access: a row of an index that is too long": Case(
        'boxes.add(Box(box_id="a", owner=ctx.sender, seal="s" * 500))', "VALUE_TOO_LARGE"
    ),
    "data access: a row that grows as it is written": Case(
        'boxes.add(Box(box_id="a", owner=ctx.sender, seal=chr(0) * 260))', "VALUE_TOO_LARGE"
    ),
    "data access: a key that grows as it is written": Case("boxes.add(Box(box_id=chr(0) * 260, owner=ctx.sender))", "VALUE_TOO_LARGE"),
    "data access: a prefix without end": Case('xs = counts.scan(prefix="a" * 1000000)', "VALUE_TOO_LARGE"),
    "data access: half a character as a key": Case("x = boxes.get(chr(0xD800))", "CONTRACT_FAULT"),
    "data access: half a character as a prefix": Case("xs = counts.scan(prefix=chr(0xD800))", "CONTRACT_FAULT"),
    "data access: half a character as a seal": Case('boxes.add(Box(box_id="a", owner=ctx.sender, seal=chr(0xD800)))', "CONTRACT_FAULT"),
    "data access: a counter over its end": Case('counts["a"] = 2**63 - 1\ncounts.add("a", 1)', "INTEGER_OUT_OF_RANGE"),
    "data access: a counter beyond its end and back": Case('counts.add("a", 2**200)\ncounts.add("a", -(2**200))', "INTEGER_OUT_OF_RANGE"),
    "data access: a truth value counted": Case('counts.add("a", True)', "CONTRACT_FAULT"),
    "data access: text counted": Case('counts.add("a", "1")', "CONTRACT_FAULT"),
    "data access: a key of a map that is a tuple": Case('counts[("a", "b")] = 1', "CONTRACT_FAULT"),
    "data access: a deep list as a key": Case("x = [1]\nfor i in range(20000):\n    x = [x]\nb = boxes.get(x)", "CONTRACT_FAULT"),
    "data access: a deep list as the end of a scan": Case(
        "x = [1]\nfor i in range(20000):\n    x = [x]\nb = boxes.scan(end=x)", "CONTRACT_FAULT"
    ),
    "data access: a box of another table": Case('boxes.save(Thing(key="spoils"))', "CONTRACT_FAULT"),
    "data access: nothing scanned for nothing": Case("while True:\n    xs = boxes_by_owner.scan(limit=0)", "OUT_OF_GAS"),
    "data access: an empty range scanned for nothing": Case(
        'while True:\n    xs = boxes.scan(start="b" * 400, end="a" * 400)', "OUT_OF_GAS"
    ),
    "data access: an empty range counted for nothing": Case(
        'while True:\n    n = boxes.count(start="b" * 400, end="a" * 400)', "OUT_OF_GAS"
    ),
    "data access: rows counted again and again": Case(BOX + "while True:\n    n = boxes_by_owner.count()", "OUT_OF_GAS"),
    "data access: the last entry again and again": Case(MOVE + 'while True:\n    x = moves.last("a")', "OUT_OF_GAS"),
    "data access: the length of a log again and again": Case(MOVE + 'while True:\n    n = moves.count("a")', "OUT_OF_GAS"),
    "data access: a log without end": Case('while True:\n    moves.append("a", Move())', "OUT_OF_GAS"),
    "data access: rows moved to and fro": Case(
        BOX + 'b = boxes["a"]\nn = 0\nwhile True:\n    n += 1\n    b.weight = n\n    boxes.save(b)', "OUT_OF_GAS"
    ),
    "data access: boxes made and deleted": Case(
        'while True:\n    boxes.add(Box(box_id="a", owner=ctx.sender, seal="s"))\n    boxes.delete("a")', "OUT_OF_GAS"
    ),
    "data access: members that are not there": Case('n = 0\nwhile True:\n    n += 1\n    flag = f"{n}" in boxes', "OUT_OF_GAS"),
    "data access: a map that shrinks while it is scanned": Case(
        'for i in range(10):\n    counts[f"k{i}"] = i\nfor k, n in counts.scan(prefix="k"):\n    del counts[k]\n    del counts[k]',
        "NOT_FOUND",
    ),
}
"""Accepted by the checker."""

BODIES = {
    "data access: an index as a value": ("x = boxes_by_owner", "CON-043"),
    "data access: an index handed on": ("helper(boxes_by_owner)", "CON-043"),
    "data access: an index subscripted": ('x = boxes_by_owner["a"]', "CON-043"),
    "data access: a member of an index": ('x = "a" in boxes_by_owner', "CON-043"),
    "data access: an index asked for one record": ('x = boxes_by_owner.get("a")', "CON-048"),
    "data access: what follows a table": ("x = boxes.followers", "CON-043"),
    "data access: the keys of a table": ("x = boxes.keys", "CON-043"),
    "data access: a constraint assigned": ('box_of_seal["s"] = Box(box_id="a", owner=ctx.sender)', "CON-059"),
    "data access: a constraint deleted": ('del box_of_seal["s"]', "CON-059"),
    "data access: an index written": ('boxes_by_owner.add(Box(box_id="a", owner=ctx.sender))', "CON-048"),
    "data access: a log subscripted": ('x = moves["a"]', "CON-043"),
    "data access: a log shortened": ('del moves["a"]', "CON-043"),
    "data access: an entry deleted": ('moves.delete("a")', "CON-048"),
    "data access: an entry replaced": ('moves.save("a", Move())', "CON-048"),
    "data access: a counter of texts": ('names.add("a", 1)', "CON-065"),
    "data access: a scan by position": ('x = boxes.scan("a")', "CON-046"),
    "data access: a scan with a filter": ("x = boxes.scan(where=1)", "CON-046"),
}
"""What stands in an action, and the rule that refuses it."""

MODULES = {
    "data access: an index above its table": (
        'late: Index[Late] = Index(lates, by="number")\n\n\nclass Late(Record):\n    number: int',
        "CON-063",
    ),
    "data access: an index of another table's record": ('i: Index[Line] = Index(boxes, by="text")', "CON-063"),
    "data access: an index by a list": ('i: Index[Thing] = Index(things, by="numbers")', "CON-063"),
    "data access: an index by a truth value": ('i: Index[Thing] = Index(things, by="flag")', "CON-063"),
    "data access: an index by nothing": ("i: Index[Thing] = Index(things, by=())", "CON-063"),
    "data access: an index by what a constant says": ('FIELDS = ("number",)\ni: Index[Thing] = Index(things, by=FIELDS)', "CON-063"),
    "data access: an index by the key": ('i: Index[Box] = Index(boxes, by="box_id")', "CON-063"),
    "data access: an index twice": ('i: Index[Box] = Index(boxes, by=("owner", "weight"))', "CON-063"),
    "data access: an index by a field twice": ('i: Index[Box] = Index(boxes, by=("owner", "owner"))', "CON-063"),
    "data access: indexes without end": (
        "\n".join(
            f'i{n}: Index[Thing] = Index(things, by=("{a}", "{b}"))'
            for n, (a, b) in enumerate(
                [(a, b) for a in ("number", "title", "format", "owner") for b in ("number", "title", "format", "owner") if a != b]
            )
        ),
        "CON-063",
    ),
    "data access: a constraint with the runtime's code": ('u: Unique[Thing] = Unique(things, by="title", code="OUT_OF_GAS")', "CON-060"),
    "data access: a constraint with a code that is computed": ('u: Unique[Thing] = Unique(things, by="title", code="A" + "B")', "CON-060"),
    "data access: a log of events": ("l: Log[str, Happened] = Log()", "CON-064"),
    "data access: a log with a key of eight parts": ("l: Log[tuple[int, int, int, int, int, int, int, int], Move] = Log()", "CON-064"),
    "data access: a log that begins with something": ("l: Log[str, Move] = Log([Move()])", "CON-064"),
    "data access: a map of lists": ("m: Map[str, list[int]] = Map(default=0)", "CON-058"),
    "data access: a map whose key is a list": ("m: Map[list[int], int] = Map(default=0)", "CON-058"),
    "data access: a table whose name has a sign": ('Boxes: Table[Box] = Table(key="box_id")', "CON-058"),
    "data access: a view that appends": ('@view\ndef peek(ctx: Context) -> int:\n    return moves.append("a", Move())', "CON-061"),
    "data access: a view that counts up": ('@view\ndef peek(ctx: Context) -> int:\n    counts.add("a", 1)\n    return 1', "CON-061"),
    "data access: a view that deletes": ('@view\ndef peek(ctx: Context) -> int:\n    boxes.delete("a")\n    return 1', "CON-061"),
}
"""What stands at module level, and the rule that refuses it."""
