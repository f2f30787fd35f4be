"""Play a scenario and tell each step: `python -m yunhe.testing.scenario FILE`, which is what `yunhe contract run` starts.

A scenario is a Python file with a function `scenario(chain)`, which deploys contracts and calls them as a test does. It is a program of its
author's, run as one: modules beside it and beside the nearest `pyproject.toml` above it can be imported, and a debugger stops in it.

With `--json`, one value is printed at the end, and what the scenario itself prints goes to standard error.
"""

import argparse
import logging
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import structlog

from yunhe.cli.output import exit_code, output
from yunhe.errors import ScenarioFailedError, ScenarioInvalidError, YunheError
from yunhe.testing.chain import Chain
from yunhe.testing.narration import NarratingChain, Step

_OURS: Final = str(Path(__file__).parents[1])
_FUNCTION: Final = "scenario"


def load_scenario(path: Path) -> tuple[Callable[[Chain], object], str]:
    """Return a file's function `scenario`, and the first line of what the file says of itself.

    Raises:
        ScenarioInvalidError: it cannot be read or imported, or has no such function.
    """
    if not path.is_file():
        raise ScenarioInvalidError(f"{path} is no file; name a Python file with a function scenario(chain)")
    root = next((folder for folder in path.resolve().parents if (folder / "pyproject.toml").is_file()), None)
    for folder in (root, path.resolve().parent):
        if folder is not None and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    module = _imported(path)
    function = getattr(module, _FUNCTION, None)
    if not callable(function):
        raise ScenarioInvalidError(f"{path} has no function scenario(chain); write one, as `yunhe contract new` does")
    return function, (module.__doc__ or "").strip().partition("\n")[0]


def _imported(path: Path) -> ModuleType:
    specification = util.spec_from_file_location(_FUNCTION, path)
    if specification is None or specification.loader is None:
        raise ScenarioInvalidError(f"{path} is no Python file; its name ends in .py")
    module = util.module_from_spec(specification)
    sys.modules[_FUNCTION] = module
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        raise ScenarioInvalidError(f"{path} cannot be imported:\n{own_traceback(error)}") from error
    return module


def own_traceback(error: Exception) -> str:
    """Return an exception as Python shows it, without the frames of Yunhe and of the import system."""
    shown = traceback.TracebackException.from_exception(error, compact=True)
    shown.stack = traceback.StackSummary.from_list(
        [frame for frame in shown.stack if not frame.filename.startswith(_OURS) and "importlib" not in frame.filename]
    )
    return "".join(shown.format(chain=False)).rstrip()


@contextmanager
def _chain(kind: str, tell: Callable[[Step], None]) -> Iterator[Chain]:
    """Return a new chain of a kind; a node is made in a folder that goes with it."""
    if kind != "node":
        yield NarratingChain(tell, metered=kind == "metered")
        return
    from yunhe.testing.node_narration import NarratingNodeChain  # noqa: PLC0415  # it needs the native core, the others do not

    with tempfile.TemporaryDirectory() as folder, NarratingNodeChain(tell, Path(folder) / "node") as chain:
        yield chain


def play(path: Path, kind: str = "metered") -> dict[str, Any]:
    """Play a scenario, tell each step while it goes on, and return all of it as data.

    Args:
        path: of the file.
        kind: of the chain, as the flag `--chain` says.

    Raises:
        ScenarioInvalidError: the file is no scenario.
        ScenarioFailedError: it did not go as it expects.
    """
    function, summary = load_scenario(path)
    steps: list[Step] = []

    def tell(step: Step) -> None:
        steps.append(step)
        if not output.json:
            first, *more = step.lines()
            output.result({}, "\n".join([f"{len(steps):>2}  {first}", *(f"    {line}" for line in more)]))

    if summary and not output.json:
        output.result({}, summary)
    failure: Exception | None = None
    try:
        with redirect_stdout(sys.stderr if output.json else sys.stdout), _chain(kind, tell) as chain:
            function(chain)
    except YunheError:
        # No node can run here, or a contract is none that a node accepts: that says itself what to do.
        raise
    except Exception as error:  # noqa: BLE001  # the author's program: what it raises is told below
        failure = error
    told = {"scenario": str(path), "summary": summary, "passed": failure is None, "steps": [step.data() for step in steps]}
    output.result(told, f"{path}: {'passed' if failure is None else 'failed'}, {len(steps)} steps")
    if failure is not None:
        raise ScenarioFailedError(f"after step {len(steps)}:\n{own_traceback(failure)}") from failure
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the scenario that the arguments name and return the exit code of `yunhe.cli.output`."""
    parser = argparse.ArgumentParser(prog="python -m yunhe.testing.scenario", description="Play a scenario and tell each step.")
    parser.add_argument("--json", action="store_true", help="print one JSON value instead of text")
    parser.add_argument("--chain", choices=("plain", "metered", "node"), default="metered", help="how calls run")
    parser.add_argument("scenario", type=Path, help="Python file with a function scenario(chain)")
    options = parser.parse_args(arguments)
    output.json = options.json
    # A scratch node tells of itself only what the author should know, and never among the steps.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING), logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )
    try:
        play(options.scenario, options.chain)
    except YunheError as error:
        output.error(error)
        return exit_code(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
