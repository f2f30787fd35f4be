"""What follows from the call graph: no recursion, views that cannot write, the state that each entry touches.

Rules enforced: CON-045 and CON-061. How deeply calls nest is bounded where contracts are metered (CON-130). Specification:
docs/spec/contracts.md, "The subset".
"""

from collections.abc import Mapping

from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.model import Function


def check_recursion(functions: Mapping[str, Function], findings: Findings) -> None:
    """Refuse every call that closes a circle."""
    found: dict[str, set[str]] = {}
    for name, function in functions.items():
        for callee, _, node in function.calls:
            if callee not in found:
                found[callee] = reached(callee, functions)
            # CON-045
            if callee == name or name in found[callee]:
                findings.on("CON-045", node, f"{name} calls itself, directly or through {callee}", "write a loop")


def check_views(functions: Mapping[str, Function], findings: Findings) -> None:
    """Refuse views that can reach a write."""
    for name, function in functions.items():
        if function.entry != "view":
            continue
        for reached_name in sorted({name} | reached(name, functions)):
            for what, node in functions[reached_name].effects:
                # CON-061
                line = getattr(node, "lineno", 0)
                findings.on(
                    "CON-061",
                    function.node,
                    f"the view {name} reaches {what} in line {line}",
                    "make it an action, or move what writes into an action",
                )


def reached(name: str, functions: Mapping[str, Function]) -> set[str]:
    """Return the functions that a function can reach by calls; itself only if it can call itself."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for callee, _, _ in functions[waiting.pop()].calls:
            if callee in functions and callee not in found:
                found.add(callee)
                waiting.append(callee)
    return found
