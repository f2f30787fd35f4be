"""Tries escapes from workers as an ordinary user's node has them, and prints what came of each; run by `test_ordinary_user`.

Where it is started by root, each worker gives root up before it closes its jail, and this process once all have been started: so the
attempts are between processes of one ordinary user, on a machine that may not let such a user read the checkout.
"""

import json
import sys

from tests.unit.contracts.worker.attempts import launch, outcome
from tests.unit.contracts.worker.escapes import become_ordinary
from yunhe.contracts.worker.process import Starter


def main(attempts: list[tuple[str, bool]]) -> None:
    """Print the protections of the first worker, and what came of each attempt, with or without the filter of system calls."""
    starters = [Starter("sha256", launch("attempt_as_user", name, filtered=filtered)) for name, filtered in attempts]
    workers = [starter.start() for starter in starters]
    become_ordinary()
    print(json.dumps([workers[0].protections, [outcome(worker) for worker in workers]]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
