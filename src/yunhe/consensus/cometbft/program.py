"""The CometBFT program: where it is, and that it is the version that this engine was written for.

Another version may store, sign or gossip differently, so none but this one is started.
"""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yunhe
from yunhe.errors import EngineMissingError, EngineVersionError

VERSION: Final = "0.39.4"
PROGRAM_VARIABLE: Final = "YUNHE_COMETBFT"

_BUILT: Final = Path(yunhe.__file__).parents[2] / "engine" / "bin" / "cometbft"
"""Where `make engine` puts it in a checkout."""
_ADVICE: Final = (
    f"build it with `make engine` in a checkout of Yunhe, which needs Go, and name the file in the environment's {PROGRAM_VARIABLE}"
)
_ANSWER_TIMEOUT_S: Final = 30


def find_program(environment: Mapping[str, str]) -> Path:
    """Return the program that the environment names, else the one of this checkout, else the one on the path.

    Raises:
        EngineMissingError: there is none.
        EngineVersionError: it is not of the version that is needed.
    """
    # NET-004
    named = environment.get(PROGRAM_VARIABLE)
    if named:
        program = Path(named)
        if not program.is_file():
            raise EngineMissingError(f"{PROGRAM_VARIABLE} names {program}, and there is no such file; {_ADVICE}")
    elif _BUILT.is_file():
        program = _BUILT
    else:
        found = shutil.which("cometbft", path=environment.get("PATH"))
        if found is None:
            raise EngineMissingError(f"the engine of a network, CometBFT {VERSION}, is not on this machine; {_ADVICE}")
        program = Path(found)
    _check_version(program.resolve())
    return program.resolve()


def _check_version(program: Path) -> None:
    try:
        done = subprocess.run(
            [program, "version"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=_ANSWER_TIMEOUT_S
        )
    except (OSError, UnicodeDecodeError, subprocess.TimeoutExpired) as error:
        raise EngineVersionError(f"{program} does not run as CometBFT: {error}; {_ADVICE}") from error
    # A build from a checkout of its own adds a commit behind the version.
    said = done.stdout.strip()
    if done.returncode or said.partition("+")[0] != VERSION:
        raise EngineVersionError(f"{program} is not CometBFT {VERSION}, but says {said[:100]!r}; {_ADVICE}")
