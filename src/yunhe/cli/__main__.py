"""`python -m yunhe.cli` is the command `yunhe`."""

from yunhe.cli.main import main

main()
