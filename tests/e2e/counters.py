"""A contract for end-to-end tests: counters, and every way to misbehave that the checker lets pass."""

from yunhe.contracts import Context, Record, Table, action, require, view


class Counter(Record):
    name: str
    value: int


counters: Table[Counter] = Table(key="name")


@action
def add(ctx: Context, name: str, amount: int) -> int:
    require(amount > 0, "AMOUNT_NOT_POSITIVE")
    counter = counters.get(name)
    if counter is None:
        counter = Counter(name=name, value=0)
        counters.add(counter)
    counter.value += amount
    counters.save(counter)
    return counter.value


@action
def loop(ctx: Context, name: str) -> None:
    counters.add(Counter(name=name, value=0))
    while True:
        pass


@action
def allocate(ctx: Context, name: str) -> None:
    counters.add(Counter(name=name, value=0))
    hoard = [name]
    while True:
        hoard.append("x" * 1_000_000)


@action
def fault(ctx: Context, name: str) -> int:
    counters.add(Counter(name=name, value=0))
    numbers = [1]
    return numbers[len(name)]


@view
def value(ctx: Context, name: str) -> int:
    return counters[name].value


@view
def spin(ctx: Context) -> int:
    total = 0
    while True:
        total += 1
    return total
