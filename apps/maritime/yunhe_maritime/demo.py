"""`yunhe demo`: a bill of lading from its issue to its surrender, on a ledger of five organisations, and the proof of it for a stranger.

Everything happens as it would between firms: each party signs with its own key file and talks to the node over HTTP; the transport document
stays beside the ledger; at the end the node is stopped and its folder moved away, and a bare Python interpreter verifies the proof and the
document with one file and no help from anyone. What goes wrong is said, and the node never outlives the command.
"""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from yunhe.sdk import Call, YunheError, prove_receipt, prove_record
from yunhe.sdk.signals import ended_by_signals
from yunhe_maritime.demo_account import Account
from yunhe_maritime.demo_network import second_act
from yunhe_maritime.demo_node import DemoNode, make_node, running_node
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
from yunhe_maritime.demo_stranger import ProofFolder
from yunhe_maritime.document_conditions import broken_conditions, require_electronic_bill, unknown_fields
from yunhe_maritime.document_file import document_checksum, filled_fields, load_document, parse_document
from yunhe_maritime.errors import DemoFailedError, DemoFolderError
from yunhe_maritime.transport_document import TransportDocument

SAMPLE: Final = "sample_document.json"
_UNKNOWN_SHOWN_MAX: Final = 5
_REASONS: Final = {
    "ALREADY_ISSUED": "there is one original only",
    "NOT_HOLDER": "only who holds the bill can pass it on",
    "NOT_NEGOTIABLE": "a straight bill is for its consignee and no one else",
    "SURRENDERED": "the goods are delivered, and the bill has done its work",
}
"""What the contract's codes mean to the parties."""


class Demo:
    """One run, in one folder."""

    def __init__(self, folder: Path, account: Account, document: TransportDocument, raw: bytes) -> None:
        self.folder = folder
        self.account = account
        self.document = document
        self.raw = raw
        self.checksum = document_checksum(raw)
        self.bill_id = document.transport_document_reference
        self.proof = ProofFolder(folder / "proof")
        self.submitted_ms: list[float] = []
        """For each transaction, how long it took from the signature until it was durable and answered."""

    def run(self) -> None:
        """Do everything, from the keys to the verified proof."""
        with ExitStack() as open_ones:
            with self.account.step("A ledger and five organisations"):
                parties = make_parties(self.folder / "parties", titles_from(self.document))
                self.account.done(f"{len(parties)} encrypted key files, each in its owner's folder")
                make_node(self.folder / "node", FOUNDER, parties[FOUNDER].title, parties[FOUNDER].file.path)
                self.account.done("network founded by the port, with its node")
                node = open_ones.enter_context(running_node(self.folder / "node"))
                self.account.done(f"node started; it answers at {node.address}")
            ledger = Ledger(open_ones.enter_context(node.client()), parties)
            self._enrol(ledger)
            self._deploy(ledger)
            self._issue(ledger)
            self._pass_on(ledger)
            self._surrender(ledger, node)
            self._move_away(node)
        with self.account.step("Verification by a stranger, offline"):
            self.proof.verify(self.account)
        self.submitted_ms = ledger.submitted_ms

    # --- The ledger -------------------------------------------------------------------------------------------------

    def _enrol(self, ledger: Ledger) -> None:
        with self.account.step("Enrolment, by votes"):
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
        """Return a call of the carrier, who names its own bill by the number alone."""
        return Call(CONTRACT, action, {"bill_id": self.bill_id, **arguments})

    def _act(self, action: str, **arguments: str | bool | None) -> Call:
        """Return a call of any other party."""
        return self._call(action, carrier="carrier", **arguments)

    def _refused(self, ledger: Ledger, text: str, organisation: str, code: str, call: Call) -> None:
        """Let an organisation try what the contract refuses."""
        ledger.be_refused(organisation, code, call)
        self.account.refused(text, code, _REASONS[code])

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
            self._refused(ledger, "carrier issues it a second time", "carrier", "ALREADY_ISSUED", self._call("issue", **arguments))

    def _pass_on(self, ledger: Ledger) -> None:
        with self.account.step("Endorsement and transfer"):
            self._to_bank(ledger)
            to_port = self._act("transfer", to="port")
            self._refused(ledger, "wrong party: port, which does not hold it, transfers it to itself", "port", "NOT_HOLDER", to_port)
            self._to_consignee(ledger)
            self._refused(ledger, "double transfer: bank transfers it once more, to the port", "bank", "NOT_HOLDER", to_port)

    def _to_bank(self, ledger: Ledger) -> None:
        transfer = self._act("transfer", to="bank")
        if not self.document.is_to_order:
            to_order = self._act("endorse_to_order", to="bank")
            self._refused(ledger, "shipper endorses a straight bill to the bank", "shipper", "NOT_NEGOTIABLE", to_order)
            ledger.succeed("shipper", transfer)
            self.account.done("shipper transfers it to the bank, which holds it for the consignee")
        elif endorsee_organisation(self.document) == "bank":
            ledger.succeed("shipper", transfer)
            self.account.done("shipper transfers it to the bank, to whose order it is made out")
        else:
            ledger.succeed("shipper", self._act("endorse_to_order", to="bank"), transfer)
            self.account.done("shipper endorses it to the order of the bank and hands it over, in one transaction")

    def _to_consignee(self, ledger: Ledger) -> None:
        transfer = self._act("transfer", to="consignee")
        if self.document.is_to_order:
            ledger.succeed("bank", self._act("endorse", to="consignee"), transfer)
            self.account.done("bank endorses it to the consignee and hands it over, in one transaction")
        else:
            ledger.succeed("bank", transfer)
            self.account.done("bank transfers it to the consignee")

    def _surrender(self, ledger: Ledger, node: DemoNode) -> None:
        with self.account.step("Surrender, and the proof of it"):
            ledger.succeed("consignee", self._act("surrender", for_amendment=False))
            self.account.done("consignee surrenders the bill to the carrier, for delivery of the goods")
            accepted = ledger.succeed("carrier", self._call("accept_surrender"))
            self.account.done(f"carrier accepts, at height {accepted.height}; the bill has done its work")
            to_bank = self._act("transfer", to="bank")
            self._refused(ledger, "consignee transfers the surrendered bill", "consignee", "SURRENDERED", to_bank)
            subjects = [prove_record(CONTRACT, "bills", ["carrier", self.bill_id]), prove_receipt(accepted.transaction_id)]
            bundle = ledger.client.prove(subjects, accepted.height)
            self.proof.fill(bundle, self.raw, node.folder / "genesis.json")
            self.account.done(f"proof bundle exported: the bill's final record and the receipt of its surrender, {len(bundle)} bytes")

    def _move_away(self, node: DemoNode) -> None:
        with self.account.step("Nobody left to ask"):
            node.stop()
            self.account.done("node stopped")
            node.folder.rename(node.folder.with_name("node-moved-away"))
            self.account.done("node's folder moved away; left are bundle, genesis, document and the verifier, one readable file")


class Act(StrEnum):
    """Which part is played."""

    FIRST = "first"
    SECOND = "second"
    BOTH = "both"


def command(
    context: typer.Context,
    document: Annotated[Path | None, typer.Option(help="Your own transport document (DCSA EBL 3.0, JSON) in place of the sample.")] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Folder for the files, new or empty; else one is made among the temporary files.")
    ] = None,
    *,
    act: Annotated[Act, typer.Option(help="Play one act only: the bill of lading, or four organisations with a node each.")] = Act.BOTH,
) -> None:
    """Issue, endorse, transfer and surrender an electronic bill of lading on a ledger of five organisations, and prove it offline."""
    as_json = bool(context.find_root().params.get("json"))
    account = Account(None if as_json else Console(highlight=False, emoji=False))
    if act is Act.SECOND:
        folder = _make_folder(keep)
        with _failures_told(account, folder), ended_by_signals():
            second_act(folder / "network", account)
        _end(account, as_json=as_json)
        return
    account.opening(
        "A bill of lading stands for goods at sea: whoever holds the one original can claim them. Here it is electronic.",
        "Five organisations share a ledger. Each signs for itself with its own key, and a contract that they voted for decides.",
        "Each line tells what has just happened, over HTTP, and how long it took. What is refused is meant to be.",
    )
    with account.step("The document, checked offline"):
        checked, raw = _checked_document(account, document)
        folder = _make_folder(keep)
        account.note(f"all files go to {folder}")
    demo = Demo(folder, account, checked, raw)
    with _failures_told(account, folder), ended_by_signals():
        demo.run()
        if act is Act.BOTH:
            second_act(folder / "network", account)
    _close(demo, account)
    _end(account, as_json=as_json)


@contextmanager
def _failures_told(account: Account, folder: Path) -> Iterator[None]:
    try:
        yield
    except (YunheError, OSError) as error:
        account.heading(f"The demo failed. Its files, with the node's log, are in {folder}")
        if isinstance(error, OSError):
            raise DemoFailedError(f"the machine did not let the demo go on: {error}") from error
        raise


def _end(account: Account, *, as_json: bool) -> None:
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
    yunhe, node = shlex.join(this_program()), shlex.quote(str(demo.folder / "node-moved-away"))
    account.heading(f"Done in {account.milliseconds / 1000:.1f} s")
    account.times()
    count, typical, slowest = len(demo.submitted_ms), round(median(demo.submitted_ms)), round(max(demo.submitted_ms))
    account.result("transactions", f"{count}, each on disk and answered in {typical} ms (median; slowest {slowest} ms)", "transactions")
    account.result("bill_id", demo.bill_id, "bill")
    account.result("document_checksum", demo.checksum, "document checksum")
    account.result("folder", str(demo.folder), "all files")
    account.result("proof", str(demo.proof.path), "what a stranger needs")
    account.heading("Try next")
    for explanation, line in (
        ("verify again, with nothing of Yunhe but that one file", demo.proof.command_line()),
        ("read every byte of the ledger", f"{yunhe} node check {node}"),
        ("start the node again", f"{yunhe} node start {node} --background"),
        ("look at the bill", f"{yunhe} query record {CONTRACT} bills carrier {shlex.quote(demo.bill_id)} --folder {node}"),
        ("stop it", f"{yunhe} node stop {node}"),
        ("use a document of yours; document.json in the stranger's folder is one to begin with", f"{yunhe} demo --document FILE"),
    ):
        account.advice(explanation, line)
    if (demo.folder / "network").exists():
        account.advice("start the four nodes again", f"{yunhe} network start {shlex.quote(str(demo.folder / 'network'))}")


def this_program() -> list[str]:
    """Return how this program is called here: by its name where the path leads to it, else by the file that runs."""
    called, found = Path(sys.argv[0]), shutil.which("yunhe")
    if called.name != "yunhe":
        return [sys.executable, "-m", "yunhe.cli"]
    return ["yunhe"] if found is not None and Path(found).resolve() == called.resolve() else [str(called)]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
