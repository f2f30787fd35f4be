"""The stranger of the demo: who was handed a folder with a proof and verifies it when nobody is left to ask.

The folder holds the bundle, the genesis file, the document and the verifier, which is one file that a bare Python interpreter runs.
"""

import json
import shlex
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from yunhe_maritime.demo_account import Account
from yunhe_maritime.demo_node import run_verifier
from yunhe_maritime.errors import DemoFailedError

_REFUSED: Final = 1
"""Exit code by which the verifier refuses, as against one for a file that it cannot read."""
_ACTS: Final = {"SACC": "surrender accepted", "SREJ": "surrender rejected"}
"""Action codes of DCSA PINT that are no words."""


class ProofFolder:
    """Everything that a stranger needs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, bundle: bytes, document: bytes, genesis: Path) -> None:
        """Make the folder with the proof, the document that it is about, and what it takes to verify them."""
        self.path.mkdir()
        (self.path / "proof.yunhe").write_bytes(bundle)
        (self.path / "document.json").write_bytes(document)
        shutil.copyfile(genesis, self.path / "genesis.json")
        (self.path / "verifier.py").write_bytes(files("yunhe").joinpath("verifier.py").read_bytes())

    def verify(self, account: Account) -> None:
        """Verify the proof with its document, then with an altered one, and tell what the verifier says.

        Raises:
            DemoFailedError: it refuses the true document, or takes the altered one.
        """
        document = self.path / "document.json"
        code, said = self._run_verifier(document)
        if code != 0:
            raise DemoFailedError(f"the verifier refused the proof: {said}")
        (self.path / "verification.txt").write_text(said + "\n", encoding="utf-8")
        account.done("a bare Python interpreter verifies bundle and document with that one file; it says (in full in verification.txt):")
        for line in _shortened(said):
            account.note(line)
        altered = self.path.with_name("altered-document.json")
        altered.write_bytes(_altered(document.read_bytes()))
        code, said = self._run_verifier(altered)
        if code != _REFUSED:
            raise DemoFailedError(f"the verifier did not refuse an altered document: {said}")
        account.done("the same bundle with a document that has one letter more: refused")
        account.note(said.splitlines()[-1])

    def command_line(self) -> str:
        """Return the command that verifies the proof again."""
        return shlex.join(["python3", "-I", "-S", str(self.path / "verifier.py"), *self._arguments(self.path / "document.json")])

    def _arguments(self, document: Path) -> list[str]:
        return [str(self.path / "proof.yunhe"), "--genesis", str(self.path / "genesis.json"), "--document", str(document)]

    def _run_verifier(self, document: Path) -> tuple[int, str]:
        return run_verifier(self.path / "verifier.py", self._arguments(document))


def _altered(document: bytes) -> bytes:
    """Return the document with one letter more in the first vessel's name."""
    value = json.loads(document)
    value["transports"]["vesselVoyages"][0]["vesselName"] += "X"
    return json.dumps(value).encode()


def _shortened(said: str) -> Iterator[str]:
    """Yield what the verifier said, with the gist of the record and the receipt that it printed in full."""
    for paragraph in said.split("\n\n"):
        lines = paragraph.splitlines()
        if "{" not in lines:
            yield from lines
            continue
        value = json.loads("\n".join(lines[lines.index("{") :]))
        bill = value.get("record")
        if bill is None:
            yield f"{lines[0]}: code {value['code']}"
        else:
            steps = f"{len(bill['chain'])} steps in its chain"
            yield f"{lines[0]}: bill {bill['bill_id']}, status {bill['status']}, held by {bill['holder']}, {steps}"
            yield from (f"   {_told(step)}" for step in bill["chain"])


def _told(step: dict[str, Any]) -> str:
    """Return one step of a bill's chain as people read it."""
    when = datetime.fromtimestamp(step["time_ms"] / 1000, UTC)
    act = _ACTS.get(step["act"], step["act"].replace("_", " ").lower())
    return f"{when:%H:%M:%S.%f}"[:-3] + f"  {act:<22}  {step['by']} to {step['to'] or 'bearer'}"
