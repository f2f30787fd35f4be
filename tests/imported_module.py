"""Modules that a test writes, imported as files."""

import sys
from importlib import util
from pathlib import Path
from types import ModuleType


def imported(path: Path, name: str | None = None) -> ModuleType:
    """Import a file, under its own name unless another one is given."""
    name = name or path.stem
    specification = util.spec_from_file_location(name, path)
    assert specification is not None
    assert specification.loader is not None
    module = sys.modules[name] = util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
