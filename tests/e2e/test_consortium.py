"""What organisations do from the command line on a running node: enrol and change members and keys, propose, vote, and are refused.

The commands run in this process, and every call goes over HTTP to a node in its own.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.node_process import PASSPHRASE, NodeProcess
from yunhe.cli.main import main
from yunhe.cli.output import output
from yunhe.cli.refusals import MEANINGS
from yunhe.sdk import KeyFile, Member, create_key_file

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    node = NodeProcess(tmp_path_factory.mktemp("consortium")).start()
    yield node
    node.close()


@pytest.fixture(scope="module")
def carrier(node: NodeProcess) -> Path:
    """Key file of a second organisation's admin, so that its vote is needed for every change."""
    file = make_key(node.home, "carrier/admin")
    key = {"suite": file.public_key.suite, "public_key": file.public_key.raw}
    with node.client() as client:
        client.call(node.founder, "governance", "propose_admission", organisation="carrier", title="Carrier Co", admin="admin", **key)
    return file.path


@pytest.fixture
def run(node: NodeProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run a command; returns its JSON, or the error's of one that ends with the exit code that is expected."""
    monkeypatch.setenv("YUNHE_FOLDER", str(node.folder))
    monkeypatch.setenv("YUNHE_KEY", str(node.founder_file.path))
    monkeypatch.setenv("YUNHE_KEY_PASSPHRASE", PASSPHRASE)

    def run(*arguments: str | Path, exit_code: int = 0, text: bool = False) -> Any:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["yunhe", *([] if text else ["--json"]), *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        assert (ended.value.code or 0) == exit_code, shown
        if exit_code:
            return json.loads(shown.err)
        return shown.out if text else json.loads(shown.out)

    yield run
    output.json = False


def make_key(folder: Path, owner: str, name: str = "") -> KeyFile:
    return create_key_file(folder / f"{name or owner.replace('/', '.')}.pem", Member.parse(owner), PASSPHRASE)


def refused(run: Run, code: str, *arguments: str | Path) -> None:
    """Run a command that the ledger must refuse with a code, explained."""
    error = run(*arguments, exit_code=1)
    assert (error["code"], error["meaning"]) == ("TRANSACTION_REFUSED", MEANINGS[code])
    assert f"refused with {code};" in error["message"]


def members(run: Run, organisation: str = "port") -> dict[str, tuple[list[str], str]]:
    return {row["member"]: (row["roles"], row["status"]) for row in run("org", "show", organisation)["members"]}


# SYS-002
def test_admin_enrols_a_member_and_sets_its_roles_and_status(run: Run, tmp_path: Path) -> None:
    clerk = make_key(tmp_path, "port/clerk").path
    run("org", "enrol", clerk, "--role", "issuer", "--role", "auditor")
    assert members(run)["clerk"] == (["auditor", "issuer"], "active")
    run("org", "member", "port/clerk", "--suspend")
    assert members(run)["clerk"] == (["auditor", "issuer"], "suspended")
    run("org", "member", "port/clerk", "--restore", "--role", "issuer")
    assert members(run)["clerk"] == (["issuer"], "active")
    run("org", "member", "port/clerk", "--no-roles")
    assert members(run)["clerk"] == ([], "active")
    refused(run, "ALREADY_EXISTS", "org", "enrol", clerk)
    refused(run, "ROLE_REQUIRED", "org", "member", "port/clerk", "--suspend", "--key", clerk)
    assert run("org", "member", "port/clerk", exit_code=2)["code"] == "USAGE"
    assert run("org", "member", "port/nobody", "--suspend", exit_code=1)["code"] == "RECORD_NOT_FOUND"


# SYS-003, SYS-004, SYS-005
def test_keys_are_added_rotated_and_revoked(run: Run, node: NodeProcess, tmp_path: Path) -> None:
    def keys() -> dict[str, str]:
        return {row["public_key"]: row["status"] for row in run("org", "show", "port")["keys"] if row["member"] == "pilot"}

    first, second, third = (make_key(tmp_path, "port/pilot", name) for name in ("first", "second", "third"))
    named = {file.path: "0x" + file.public_key.raw.hex() for file in (first, second, third)}
    run("org", "enrol", first.path)
    run("org", "add-key", second.path, "--key", first.path)
    run("org", "rotate", first.path, third.path, "--key", first.path)
    assert keys() == {named[first.path]: "revoked", named[second.path]: "active", named[third.path]: "active"}
    run("org", "revoke", "port/pilot", named[second.path])
    assert keys()[named[second.path]] == "revoked"
    refused(run, "ALREADY_REVOKED", "org", "revoke", "port/pilot", named[second.path])
    refused(run, "ALREADY_EXISTS", "org", "add-key", second.path)
    refused(run, "LAST_ADMIN", "org", "revoke", "port/admin", node.founder_file.public_key.raw.hex())
    assert run("org", "add-key", first.path, "--key", first.path, exit_code=1)["code"] == "KEY_REVOKED"
    assert "not hexadecimal" in run("org", "revoke", "port/pilot", "key", exit_code=2)["message"]


# SYS-002
def test_command_about_another_organisations_member_is_refused_before_it_is_sent(run: Run, tmp_path: Path) -> None:
    """The registry acts on the sender's member of that name, which is not who was meant."""
    admin, clerk = make_key(tmp_path, "bank/admin"), make_key(tmp_path, "port/newcomer")
    before = run("node", "status")["height"]
    for arguments in (
        ("enrol", admin.path),
        ("add-key", admin.path),
        ("revoke", "bank/admin", admin.public_key.raw.hex()),
        ("rotate", admin.path, make_key(tmp_path, "bank/admin", "other").path),
    ):
        assert "is not of port, which signs" in run("org", *arguments, exit_code=2)["message"]
    assert "of the same member" in run("org", "rotate", admin.path, clerk.path, exit_code=2)["message"]
    assert run("node", "status")["height"] == before


# SYS-001, SYS-010 to SYS-016
def test_organisations_decide_by_votes_from_admission_to_restoration(run: Run, carrier: Path, tmp_path: Path) -> None:
    admission = run("org", "admit", make_key(tmp_path, "bank/admin").path, "--title", "Bank Co")
    details = run("org", "proposal", str(admission["proposal"]))["details"]
    assert (details["title"], details["member"]) == ("Bank Co", "admin")
    assert (admission["status"], admission["approved_by"], admission["needs"]) == ("open", ["port"], "more than half of 2 organisations")
    number = str(admission["proposal"])
    refused(run, "ALREADY_VOTED", "org", "vote", number)
    refused(run, "NOT_THE_PROPOSER", "org", "withdraw", number, "--key", carrier)
    assert run("org", "recount", number)["status"] == "open"
    rejected = run("org", "vote", number, "--against", "--key", carrier)
    assert (rejected["status"], rejected["opposed_by"]) == ("rejected", ["carrier"])
    refused(run, "ALREADY_DECIDED", "org", "vote", number, "--key", carrier)
    refused(run, "NOT_FOUND", "org", "vote", "999")

    suspension = run("org", "suspend", "carrier")
    assert (suspension["status"], suspension["change"]) == ("open", "suspend_organisation carrier")
    assert [row["proposal_id"] for row in run("org", "proposals")] == [suspension["proposal"]]
    assert run("org", "withdraw", str(suspension["proposal"]))["status"] == "withdrawn"
    assert run("org", "proposals") == []
    assert run("org", "proposals", text=True).startswith("no open proposals")
    number = str(run("org", "suspend", "carrier")["proposal"])
    assert run("org", "vote", number, "--key", carrier)["status"] == "accepted"
    assert run("org", "show", "carrier")["status"] == "suspended"
    assert run("org", "restore", "carrier")["status"] == "accepted"
    refused(run, "UNCHANGED", "org", "restore", "carrier")
    refused(run, "IS_CERTIFIER", "org", "suspend", "port")


# SYS-013
def test_parameters_and_suites_change_by_votes_and_rules_shows_them(run: Run, carrier: Path) -> None:
    def rules() -> dict[str, Any]:
        read = run("org", "rules")
        return {row["name"]: row["value"] for row in read["parameters"]} | {"suites": [row["suite"] for row in read["suites"]]}

    proposed = run("org", "parameter", "gas_limit_max", "60000000")
    run("org", "vote", str(proposed["proposal"]), "--key", carrier)
    shown = run("org", "proposal", str(proposed["proposal"]))
    assert (shown["status"], shown["proposer"], shown["details"]) == ("accepted", "port", {"number": 60_000_000})
    suite = run("org", "suite", "sm2-sm3")
    assert (suite["status"], suite["approved_by"], suite["change"]) == ("open", ["port"], "add_suite sm2-sm3")
    run("org", "vote", str(suite["proposal"]), "--key", carrier)
    assert rules()["gas_limit_max"] == 60_000_000
    assert rules()["suites"] == ["ed25519-sha256", "sm2-sm3"]
    refused(run, "PARAMETER_OUT_OF_RANGE", "org", "parameter", "gas_limit_max", "1")
    refused(run, "PARAMETER_UNKNOWN", "org", "parameter", "colour", "1")
    refused(run, "SUITE_ALLOWED_ALREADY", "org", "suite", "sm2-sm3")
    refused(run, "SUITE_UNKNOWN_HERE", "org", "suite", "rsa")
    told = run("org", "rules", text=True)
    assert "gas_limit_max         60000000    20000000  1000000000" in told
    assert "contract      more than half of the organisations" in told
    assert "port          1      ed25519-sha256" in told
    assert run("org", "proposal", "999", exit_code=1)["message"] == "there is no proposal 999; `yunhe org proposals --all` lists them"
    assert run("org", "show", "nobody", exit_code=1)["message"].startswith("there is no organisation nobody")


# SYS-020 to SYS-023
def test_contract_lives_by_votes_and_a_voter_can_read_what_is_proposed(run: Run, carrier: Path, tmp_path: Path) -> None:
    source = tmp_path / "notes.py"
    source.write_text(
        'from yunhe.contracts import Context, view\n\n\n@view\ndef answer(ctx: Context) -> int:\n    """Tell."""\n    return 42\n'
    )

    def decided(proposed: dict[str, Any]) -> str:
        return str(run("org", "vote", str(proposed["proposal"]), "--key", carrier)["status"])

    proposed = run("contract", "deploy", "notes", source)
    shown = run("org", "proposal", str(proposed["proposal"]))
    assert shown["review"] == f"yunhe contract review {proposed['proposal']}"
    assert run("contract", "review", str(proposed["proposal"]))["source"] == source.read_text()
    assert decided(proposed) == "accepted"
    refused(run, "NAME_TAKEN", "contract", "deploy", "notes", source)
    refused(run, "UNCHANGED", "contract", "upgrade", "notes", source)
    refused(run, "NOT_A_NAME", "contract", "deploy", "Notes", source)
    source.write_text(source.read_text().replace("42", "43"))
    assert decided(run("contract", "upgrade", "notes", source)) == "accepted"
    assert run("query", "view", "notes", "answer") == {"result": 43}
    for operation in ("freeze", "unfreeze", "retire"):
        assert decided(run("contract", "status", "notes", operation)) == "accepted"
    history = [(step["operation"], step["version"]) for step in run("contract", "show", "notes")["history"]]
    assert history == [("deploy", 1), ("upgrade", 2), ("freeze", 2), ("unfreeze", 2), ("retire", 2)]
    refused(run, "RETIRED", "contract", "status", "notes", "unfreeze")
    refused(run, "SYSTEM_CONTRACT", "contract", "status", "registry", "freeze")
