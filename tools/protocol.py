"""Write what is generated from the engine's protocol, `abci.proto`: `python -m tools.protocol`."""

import tempfile
from pathlib import Path
from typing import Final

import grpc_tools.protoc

from tools.tidy.checkout import ROOT

FOLDER: Final = "src/yunhe/consensus/cometbft"
_PACKAGE: Final = FOLDER.removeprefix("src/") + "/_generated"
_PROTO: Final = f"{_PACKAGE}/abci.proto"
FILES: Final = tuple(f"src/{_PACKAGE}/{name}" for name in ("abci_pb2.py", "abci_pb2.pyi"))
"""What is generated, by path in the checkout."""


def generate(root: Path) -> None:
    """Write all of it below another root.

    Raises:
        RuntimeError: the compiler refuses the file; it says why on standard error.
    """
    source = root / "src"
    source.mkdir(parents=True, exist_ok=True)
    options = [f"-I{_PACKAGE}={ROOT / FOLDER}", f"--python_out={source}", f"--pyi_out={source}", _PROTO]
    # The compiler's own protocols, such as that of times, lie beside it.
    own = Path(grpc_tools.protoc.__file__).parent / "_proto"
    if grpc_tools.protoc.main(["protoc", f"-I{own}", *options]):
        raise RuntimeError(f"{FOLDER}/abci.proto cannot be compiled")


def stale() -> list[str]:
    """Return those of `FILES` that are not what the protocol generates now."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        return [path for path in FILES if (Path(folder) / path).read_bytes() != (ROOT / path).read_bytes()]


if __name__ == "__main__":
    generate(ROOT)
