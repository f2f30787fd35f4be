"""`yunhe demo`: a bill of lading from its issue to its surrender, on a ledger of five organisations, and the proof of it for a stranger.

Everything happens as it would between firms: each party signs with its own key file and talks to the node over HTTP; the transport document
stays beside the ledger; at the end the node is stopped and its folder moved away, and a bare Python interpreter verifies the proof and the
document with one file and no help from anyone. What goes wrong is said, and the node never outlives the command.
"""

import json
import shlex
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from yunhe.sdk import Call, YunheError, prove_receipt, prove_record
from yunhe_maritime.demo_account import Account
from yunhe_maritime.demo_node import DemoNode, make_node, run_verifier, running_node
from yunhe_maritime.demo_parties import (
    CONTRACT,
    FOUNDER,
    MEMBER,
    ORGANISATIONS,
    Ledger,
    endorsee_organisation,
    make_parties,
    titles_from,
)
from yunhe_maritime.document_conditions import broken_conditions, require_electronic_bill, unknown_fields
from yunhe_maritime.document_file import document_checksum, filled_fields, load_document, parse_document
from yunhe_maritime.errors import DemoFailedError, DemoFolderError
from yunhe_maritime.transport_document import TransportDocument

SAMPLE: Final = "sample_document.json"
_UNKNOWN_SHOWN_MAX: Final = 5
_VERIFIER_REFUSED: Final = 1
"""Exit code by which the verifier refuses, as against one for a file that it cannot read."""


class Demo:
    """One run, in one folder."""

    def __init__(self, folder: Path, account: Account, document: TransportDocument, raw: bytes) -> None:
        self.folder = folder
        self.account = account
        self.document = document
        self.raw = raw
        self.checksum = document_checksum(raw)
        self.bill_id = document.transport_document_reference
        self.proof = folder / "proof"

    def run(self) -> None:
        """Do everything, from the keys to the verified proof."""
        with self.account.step("A ledger and five organisations"):
            parties = make_parties(self.folder / "parties", titles_from(self.document))
            self.account.done(f"{len(parties)} encrypted key files, each in its owner's folder")
            make_node(self.folder / "node", FOUNDER, parties[FOUNDER].title, parties[FOUNDER].file.path)
            self.account.done("network founded by the port, with its node")
        with running_node(self.folder / "node") as node, node.client() as client:
            ledger = Ledger(client, parties)
            self._enrol(node, ledger)
            self._deploy(ledger)
            self._issue(ledger)
            self._pass_on(ledger)
            self._surrender(ledger)
            node.stop()
            self.account.done("node stopped")
            self._move_away(node)
        self._verify()

    # --- The ledger -------------------------------------------------------------------------------------------------

    def _enrol(self, node: DemoNode, ledger: Ledger) -> None:
        with self.account.step("Enrolment, by votes"):
            self.account.done(f"the node answers at {node.address}")
            for organisation in ORGANISATIONS:
                if organisation != FOUNDER:
                    voted = ledger.admit(organisation)
                    title = ledger.parties[organisation].title
                    self.account.done(f"{organisation} ({title}) admitted, by the votes of {_listed(voted)}")
            role: dict[str, Any] = {"member": MEMBER, "roles": ["admin", "carrier"], "status": "active"}
            ledger.succeed("carrier", Call("registry", "set_member", role))
            self.account.done("carrier gives its desk the role that may issue bills")

    def _deploy(self, ledger: Ledger) -> None:
        with self.account.step("The contract, by votes"):
            source = files("yunhe_maritime").joinpath(f"{CONTRACT}.py").read_text(encoding="utf-8")
            voted = ledger.deploy("carrier", source)
            self.account.done(f"{CONTRACT}, {len(source.splitlines())} lines of Python, deployed by the votes of {_listed(voted)}")

    # --- The bill ---------------------------------------------------------------------------------------------------

    def _call(self, action: str, **arguments: str | bool | None) -> Call:
        return Call(CONTRACT, action, {"bill_id": self.bill_id, **arguments})

    def _issue(self, ledger: Ledger) -> None:
        consignee = None if self.document.is_to_order else "consignee"
        arguments = {
            "document_checksum": self.checksum,
            "shipper": "shipper",
            "consignee": consignee,
            "endorsee": endorsee_organisation(self.document),
        }
        with self.account.step("Issue"):
            ledger.succeed("carrier", self._call("issue", **arguments))
            self.account.done(f"carrier issues bill {self.bill_id} over the document's checksum; the shipper holds it")
            ledger.be_refused("carrier", "ALREADY_ISSUED", self._call("issue", **arguments))
            self.account.done("carrier issues it a second time: refused, ALREADY_ISSUED")

    def _pass_on(self, ledger: Ledger) -> None:
        with self.account.step("Endorsement and transfer"):
            self._to_bank(ledger)
            ledger.be_refused("port", "NOT_HOLDER", self._call("transfer", to="port"))
            self.account.done("port, which is no party to it, tries to take the bill: refused, NOT_HOLDER")
            self._to_consignee(ledger)
            ledger.be_refused("bank", "NOT_HOLDER", self._call("transfer", to="port"))
            self.account.done("bank transfers it a second time, to the port: refused, NOT_HOLDER")

    def _to_bank(self, ledger: Ledger) -> None:
        transfer = self._call("transfer", to="bank")
        if not self.document.is_to_order:
            ledger.be_refused("shipper", "NOT_NEGOTIABLE", self._call("endorse_to_order", to="bank"))
            self.account.done("shipper tries to endorse a straight bill to the bank: refused, NOT_NEGOTIABLE")
            ledger.succeed("shipper", transfer)
            self.account.done("shipper transfers it to the bank, which holds it for the consignee")
        elif endorsee_organisation(self.document) == "bank":
            ledger.succeed("shipper", transfer)
            self.account.done("shipper transfers it to the bank, to whose order it is made out")
        else:
            ledger.succeed("shipper", self._call("endorse_to_order", to="bank"), transfer)
            self.account.done("shipper endorses it to the order of the bank and hands it over, in one transaction")

    def _to_consignee(self, ledger: Ledger) -> None:
        transfer = self._call("transfer", to="consignee")
        if self.document.is_to_order:
            ledger.succeed("bank", self._call("endorse", to="consignee"), transfer)
            self.account.done("bank endorses it to the consignee and hands it over, in one transaction")
        else:
            ledger.succeed("bank", transfer)
            self.account.done("bank transfers it to the consignee")

    def _surrender(self, ledger: Ledger) -> None:
        with self.account.step("Surrender, and the proof of it"):
            ledger.succeed("consignee", self._call("surrender", for_amendment=False))
            self.account.done("consignee surrenders the bill to the carrier, for delivery of the goods")
            accepted = ledger.succeed("carrier", self._call("accept_surrender"))
            self.account.done(f"carrier accepts, at height {accepted.height}; the bill has done its work")
            ledger.be_refused("consignee", "SURRENDERED", self._call("transfer", to="bank"))
            self.account.done("consignee tries to transfer the surrendered bill: refused, SURRENDERED")
            subjects = [prove_record(CONTRACT, "bills", [self.bill_id]), prove_receipt(accepted.transaction_id)]
            bundle = ledger.client.prove(subjects, accepted.height)
            self.proof.mkdir()
            (self.proof / "proof.yunhe").write_bytes(bundle)
            (self.proof / "document.json").write_bytes(self.raw)
            self.account.done(f"proof bundle exported: the bill's final record and the receipt of its surrender, {len(bundle)} bytes")

    # --- The stranger -----------------------------------------------------------------------------------------------

    def _move_away(self, node: DemoNode) -> None:
        with self.account.step("Nobody left to ask"):
            shutil.copyfile(node.folder / "genesis.json", self.proof / "genesis.json")
            (self.proof / "verifier.py").write_bytes(files("yunhe").joinpath("verifier.py").read_bytes())
            node.folder.rename(node.folder.with_name("node-moved-away"))
            self.account.done("node's folder moved away; left are bundle, genesis, document and the verifier, one readable file")

    def _verify(self) -> None:
        with self.account.step("Verification by a stranger, offline"):
            code, said = self._run_verifier(self.proof / "document.json")
            if code != 0:
                raise DemoFailedError(f"the verifier refused the proof: {said}")
            (self.proof / "verification.txt").write_text(said + "\n", encoding="utf-8")
            self.account.done(
                "a bare Python interpreter verifies bundle and document with that one file; it says (in full in verification.txt):"
            )
            for line in _shortened(said):
                self.account.note(line)
            altered = self.folder / "altered-document.json"
            altered.write_bytes(self._altered())
            code, said = self._run_verifier(altered)
            if code != _VERIFIER_REFUSED:
                raise DemoFailedError(f"the verifier did not refuse an altered document: {said}")
            self.account.done("the same bundle with a document that has one letter more: refused")
            self.account.note(said.splitlines()[-1])

    def _run_verifier(self, document: Path) -> tuple[int, str]:
        arguments = [str(self.proof / "proof.yunhe"), "--genesis", str(self.proof / "genesis.json"), "--document", str(document)]
        return run_verifier(self.proof / "verifier.py", arguments)

    def _altered(self) -> bytes:
        """Return the document with one letter more in the first vessel's name."""
        value = json.loads(self.raw)
        value["transports"]["vesselVoyages"][0]["vesselName"] += "X"
        return json.dumps(value).encode()


def command(
    context: typer.Context,
    document: Annotated[Path | None, typer.Option(help="Your own transport document (DCSA EBL 3.0, JSON) in place of the sample.")] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Folder for the files, new or empty; else one is made among the temporary files.")
    ] = None,
) -> None:
    """Issue, endorse, transfer and surrender an electronic bill of lading on a ledger of five organisations, and prove it offline."""
    as_json = bool(context.find_root().params.get("json"))
    account = Account(None if as_json else Console(highlight=False))
    with account.step("The document, checked offline"):
        checked, raw = _checked_document(account, document)
        folder = _make_folder(keep)
        account.note(f"all files go to {folder}")
    demo = Demo(folder, account, checked, raw)
    try:
        with _ended_by_signals():
            demo.run()
    except (YunheError, OSError) as error:
        account.heading(f"The demo failed. Its files, with the node's log, are in {folder}")
        if isinstance(error, OSError):
            raise DemoFailedError(f"the machine did not let the demo go on: {error}") from error
        raise
    _close(demo, account)
    if as_json:
        typer.echo(account.to_json())


def _checked_document(account: Account, path: Path | None) -> tuple[TransportDocument, bytes]:
    """Read and check the document; say what was found."""
    if path is None:
        raw = files("yunhe_maritime").joinpath(SAMPLE).read_bytes()
        document = parse_document(raw)
    else:
        document, raw = load_document(path)
    require_electronic_bill(document)
    count = filled_fields(raw)
    account.done(f"{path or 'our sample'}: {count} filled fields, a valid DCSA EBL 3.0 transport document, made out {_made_out(document)}")
    for remark in broken_conditions(document):
        account.note(f"the standard's text asks for more, its schema does not: {remark}")
    unknown = unknown_fields(document)
    if unknown:
        more = len(unknown) - _UNKNOWN_SHOWN_MAX
        shown = ", ".join(unknown[:_UNKNOWN_SHOWN_MAX]) + (f", and {more} more" if more > 0 else "")
        account.note(f"fields that the standard does not name, left as they are: {shown}")
    account.note(f"SHA-256 of its RFC 8785 form: {document_checksum(raw)}")
    return document, raw


def _made_out(document: TransportDocument) -> str:
    if not document.is_to_order:
        return "straight, to the consignee"
    organisation = endorsee_organisation(document)
    return f"to the order of the {organisation}" if organisation is not None else "in blank, to its bearer"


def _make_folder(keep: Path | None) -> Path:
    """Make the folder of the demo's files.

    Raises:
        DemoFolderError: it is not empty, or cannot be made.
    """
    try:
        if keep is None:
            return Path(tempfile.mkdtemp(prefix="yunhe-demo-"))
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise DemoFolderError(f"{keep} is not empty; name a new folder with --keep")
        return keep.resolve()
    except OSError as error:
        raise DemoFolderError(f"{keep or 'a temporary folder'} cannot be made: {error.strerror or error}") from error


def _close(demo: Demo, account: Account) -> None:
    """Say where everything is and what can be tried next."""
    proof, node = demo.proof, demo.folder / "node-moved-away"
    account.heading(f"Done in {account.milliseconds / 1000:.1f} s")
    account.result("bill_id", demo.bill_id, "bill")
    account.result("document_checksum", demo.checksum, "document checksum")
    account.result("folder", str(demo.folder), "all files")
    account.result("proof", str(proof), "what a stranger needs")
    account.heading("Try next")
    for explanation, line in (
        ("verify again, with nothing of Yunhe but that one file", _verify_line(proof)),
        ("read every byte of the ledger", f"yunhe node check {node}"),
        ("start the node again", f"yunhe node start {node} --background"),
        ("look at the bill", f"yunhe query record {CONTRACT} bills {shlex.quote(demo.bill_id)} --folder {node}"),
        ("use a document of yours", "yunhe demo --document FILE"),
    ):
        account.advice(explanation, line)


def _verify_line(proof: Path) -> str:
    return f"python3 -I -S {proof}/verifier.py {proof}/proof.yunhe --genesis {proof}/genesis.json --document {proof}/document.json"


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


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let the signals that end a process end it the orderly way, so that the node is stopped."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
