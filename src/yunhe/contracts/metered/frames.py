"""Which functions of a contract call which, and how deeply that nests (CON-130).

The interpreter's recursion limit is local and must never decide an outcome. So the call graph has no cycle, and the longest way through it,
comprehensions counted, is short enough that contracts calling contracts stay far below the limit.
"""

from yunhe.limits import CONTRACT_FRAMES_MAX


class FramesError(Exception):
    """A contract's functions call themselves, or one another too deeply."""


class CallGraph:
    """Calls between the functions of one module, collected while its tree is walked."""

    def __init__(self, functions: set[str]) -> None:
        self._calls: dict[str, dict[str, int]] = {name: {} for name in sorted(functions)}
        """Function to the functions that it calls, with the comprehensions that the call stands in."""
        self._widest: dict[str, int] = {}
        """Most comprehensions nested in a function."""
        self._function = ""
        self._nested = 0

    def enter(self, function: str) -> None:
        """Begin the body of a function."""
        self._function = function
        self._widest[function] = 0

    def leave(self) -> None:
        """End the body of a function."""
        self._function = ""

    def nest(self) -> None:
        """Begin the inside of a comprehension: a frame of its own, and one of whoever consumes it."""
        self._nested += 2
        if self._function:
            self._widest[self._function] = max(self._widest[self._function], self._nested)

    def unnest(self) -> None:
        """End the inside of a comprehension."""
        self._nested -= 2

    def add(self, callee: str) -> None:
        """Note a call where the walk stands."""
        if self._function:
            calls = self._calls[self._function]
            calls[callee] = max(calls.get(callee, 0), self._nested)

    def check(self) -> None:
        """Measure the longest way.

        Raises:
            FramesError: a function can reach itself, or the way is longer than `CONTRACT_FRAMES_MAX`.
        """
        # CON-130; an explicit stack, because the graph may be as deep as the source is long.
        frames: dict[str, int] = {}
        for root in self._calls:
            stack = [root]
            open_functions: set[str] = set()
            while stack:
                function = stack[-1]
                waiting = [callee for callee in self._calls[function] if callee not in frames]
                if function in frames:
                    stack.pop()
                elif any(callee in open_functions or callee == function for callee in waiting):
                    raise FramesError(f"{function} can call itself: use a loop")
                elif waiting:
                    open_functions.add(function)
                    stack.append(waiting[0])
                else:
                    open_functions.discard(function)
                    stack.pop()
                    frames[function] = self._own_frames(function, frames)
        deepest = max(frames, key=lambda function: frames[function], default="")
        if deepest and frames[deepest] > CONTRACT_FRAMES_MAX:
            raise FramesError(f"{deepest} nests {frames[deepest]} functions and comprehensions; at most {CONTRACT_FRAMES_MAX} are allowed")

    def _own_frames(self, function: str, frames: dict[str, int]) -> int:
        inner = [nested + frames[callee] for callee, nested in self._calls[function].items()]
        return 1 + max([self._widest[function], *inner])
