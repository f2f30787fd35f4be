"""A bare virtual environment with the wheels of this checkout, in which no program reads a file of the checkout."""

import os
import subprocess
from pathlib import Path

from tools.tidy.checkout import ROOT

DEADLINE_S = 300.0
"""A machine that is at work with something else takes its time; no verdict depends on it."""

# Every Python that starts in the bare environment runs this first, so the node, its worker and the verifier of the demo too.
_GUARD = f"""
import sys

def keep_out(event, arguments):
    if event == "open" and str(arguments[0]).startswith({str(ROOT) + os.sep!r}):
        raise SystemExit(f"a file of the checkout: {{arguments[0]}}")

sys.addaudithook(keep_out)
"""


def make_bare(wheels: Path, environment: Path) -> None:
    """Build the wheels into a folder and install them into a new environment, as `make try-wheels` does."""
    # Of the variables that the calling make leaves behind, none shall change what this one does.
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--directory", str(ROOT), "try-wheels", f"DIST={wheels}", f"BARE={environment}"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=DEADLINE_S)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "sitecustomize.py").write_text(_GUARD, encoding="utf-8")
