"""pdb for contracts: it stops in lines of contracts only, steps from one contract into the next, and looks at the line where a call ended.

What lies between two contracts, the runtime, is neither stopped in nor shown among the frames; everything else is pdb as it is known.
"""

import ast
import bdb
import inspect
import pdb
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final, TypeVar

from yunhe.errors import UsageError
from yunhe.ledger.transaction import Call

R = TypeVar("R")

_Stack = list[tuple[FrameType, int]]


class DebuggingEndedError(BaseException):
    """The developer left the debugger, or started over: the run ends where it is. No contract's doing, so no `Exception`."""


class Stop:
    """Where the run is to stop first: a call by its place in the transaction, or an action wherever it is called."""

    def __init__(self, text: str, calls: tuple[Call, ...]) -> None:
        """Read what was asked for.

        Args:
            text: a number from 0, or CONTRACT.ACTION.
            calls: of the transaction.

        Raises:
            UsageError: it is neither, or there is no such call.
        """
        self.text = text
        self.index = int(text) if text.isascii() and text.isdigit() else -1
        self.contract, _, self.action = text.partition(".")
        if self.index >= len(calls) or (self.index < 0 and not (self.contract and self.action)):
            listed = ", ".join(f"{index} is {call.contract}.{call.action}" for index, call in enumerate(calls))
            raise UsageError(f"--at takes a call of the transaction, or CONTRACT.ACTION, not {text!r}; {listed}")


class ContractDebugger(pdb.Pdb):
    """One conversation. Implements `yunhe.node.replay.PlainWatch`."""

    def __init__(self, stop: Stop | None) -> None:
        """Make a debugger.

        Args:
            stop: where to stop first; None for the first line of the first call.
        """
        super().__init__(nosigint=True)
        self._stop: Final = stop
        self._files: set[str] = set()
        self.stopped = False
        """Whether it stopped anywhere."""

    def debug(self, run: Callable[[], R]) -> R:
        """Run something with contracts in it.

        Raises:
            DebuggingEndedError: the developer left.
        """
        self.reset()
        sys.settrace(self.trace_dispatch)
        try:
            return run()
        finally:
            sys.settrace(None)

    def examine(self, error: Exception) -> bool:
        """Look at the line where a call ended; False when it ended before any line of a contract."""
        self.reset()
        if not any(self._is_contract(frame) for frame, _ in super().get_stack(None, error.__traceback__)[0]):
            return False
        try:
            self.interaction(None, error.__traceback__)
        except pdb.Restart as restart:
            raise DebuggingEndedError from restart
        return True

    # --- PlainWatch -------------------------------------------------------------------------------------------------

    def placed(self, contract: str, source: str, file: str) -> None:
        """Take note of a contract's file, and stop in its action if that was asked for."""
        self._files.add(self.canonic(file))
        if self._stop is not None and self._stop.index < 0 and self._stop.contract == contract:
            line = _first_line(source, self._stop.action)
            if line is not None:
                self.set_break(file, line)
                self._trace_on()

    def entering(self, call_index: int) -> None:
        """Run on to the call that was asked for."""
        if self._stop is None:
            return
        if self._stop.index == call_index:
            self.set_step()
            self._trace_on()
        elif not self.stopped:
            self.set_continue()
            if self.breaks:
                self._trace_on()

    def _trace_on(self) -> None:
        """Follow the frames that begin from here on: pdb stops following where it has nothing to wait for."""
        sys.settrace(self.trace_dispatch)

    # --- Pdb, for contracts only ------------------------------------------------------------------------------------

    def trace_dispatch(self, frame: FrameType, event: str, arg: Any) -> Any:  # noqa: ANN401  # the interpreter's own protocol
        """Follow a frame; who leaves ends the run, not the contract."""
        try:
            return super().trace_dispatch(frame, event, arg)
        except (bdb.BdbQuit, pdb.Restart) as left:
            raise DebuggingEndedError from left

    def stop_here(self, frame: FrameType) -> bool:
        """Stop in contracts only."""
        return self._is_contract(frame) and super().stop_here(frame)

    def user_call(self, frame: FrameType, argument_list: None) -> None:
        """Stop at a function's first line, not at its head too."""

    def interaction(self, frame: FrameType | None, traceback: TracebackType | None) -> None:
        """Talk to the developer."""
        self.stopped = True
        super().interaction(frame, traceback)

    def get_stack(self, f: FrameType | None, t: TracebackType | None) -> tuple[_Stack, int]:
        """Return the frames of contracts."""
        stack, _ = super().get_stack(f, t)
        shown = [entry for entry in stack if self._is_contract(entry[0])]
        return shown, len(shown) - 1

    def _is_contract(self, frame: FrameType) -> bool:
        """Tell whether a frame is of a contract's function; its module level runs while it is loaded, before the call begins."""
        code = frame.f_code
        return bool(code.co_flags & inspect.CO_OPTIMIZED) and self.canonic(code.co_filename) in self._files


def _first_line(source: str, action: str) -> int | None:
    """Return the line that an action begins with, below its docstring; None when there is no such function."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == action:
            documented = ast.get_docstring(node, clean=False) is not None and len(node.body) > 1
            return node.body[1 if documented else 0].lineno
    return None
