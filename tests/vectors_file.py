"""Reads the test vectors in tests/vectors; each file says where its numbers come from."""

import json
from pathlib import Path
from typing import Any


def vectors(name: str) -> Any:
    """Return the content of one file, without its suffix."""
    return json.loads((Path(__file__).parent / "vectors" / f"{name}.json").read_text(encoding="utf-8"))
