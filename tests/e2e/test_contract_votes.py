"""`yunhe contract upgrade`, `review` and `--wait` on a real node of two organisations."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract_ledger import contract
from tests.e2e.node_process import PASSPHRASE, NodeProcess, yunhe, yunhe_json
from tests.unit.contracts.system_contracts.test_migrations import FIRST, MOVED, RENAMED
from yunhe.sdk import Member, create_key_file


class Consortium:
    """A port and a bank on one node, and a contract with one record."""

    def __init__(self, node: NodeProcess, folder: Path) -> None:
        self.node = node
        self.folder = folder
        self.port = str(node.founder_file.path)
        self.bank = str(create_key_file(folder / "bank.admin.pem", Member("bank", "admin"), PASSPHRASE, node.suite).path)
        node.deploy("shelf", contract(FIRST))
        with node.client() as client:
            client.call(node.founder, "shelf", "put", name="a", weight=3)
        yunhe_json("org", "admit", self.bank, *self.by("port"))

    def by(self, who: str) -> tuple[str, ...]:
        return ("--key", self.port if who == "port" else self.bank, "--folder", str(self.node.folder))

    def file(self, name: str, source: str) -> str:
        path = self.folder / f"{name}.py"
        path.write_text(contract(source), encoding="utf-8")
        return str(path)


@pytest.fixture
def consortium(own_node: NodeProcess, tmp_path: Path) -> Consortium:
    return Consortium(own_node, tmp_path)


def test_upgrade_is_shown_reviewed_decided_and_migrates(consortium: Consortium) -> None:
    folder = ("--folder", str(consortium.node.folder))
    proposed = yunhe_json("contract", "upgrade", "shelf", consortium.file("moved", MOVED), *consortium.by("port"))
    assert (proposed["status"], proposed["approved_by"]) == ("open", ["port"])
    assert "- put(name: str, weight: int) -> None" in proposed["changes"]["actions"]
    assert proposed["changes"]["migration"] == "migrate runs with the deciding vote"
    assert '+crates: Table[Crate] = Table(key="name")' in proposed["diff"].splitlines()
    reviewed = yunhe_json("contract", "review", str(proposed["proposal"]), *folder)
    assert {name: reviewed[name] for name in ("code_hash", "changes", "diff", "could_not_read")} == {
        "code_hash": proposed["code_hash"],
        "changes": proposed["changes"],
        "diff": proposed["diff"],
        "could_not_read": [],
    }
    assert yunhe_json("org", "vote", str(proposed["proposal"]), *consortium.by("bank"))["status"] == "accepted"
    assert yunhe_json("query", "view", "shelf", "grams", "name=a", *folder) == {"result": 3000}
    done = yunhe("contract", "review", str(proposed["proposal"]), *folder)
    assert done.returncode == 0, done.stderr


def test_upgrade_that_would_lose_records_submits_nothing_and_names_the_field(consortium: Consortium) -> None:
    done = yunhe("contract", "upgrade", "shelf", consortium.file("renamed", RENAMED), *consortium.by("port"))
    assert (done.returncode, done.stderr.splitlines()[1:2]) == (
        1,
        ["boxes, Box.weight: the field was removed. Instead: keep the field; it may go unused"],
    )
    assert done.stderr.startswith("UPGRADE_INCOMPATIBLE: ")
    assert yunhe("org", "proposals", "--folder", str(consortium.node.folder)).stdout.count("shelf") == 0


@pytest.mark.parametrize(("against", "status", "code"), [((), "accepted", 0), (("--against",), "rejected", 1)])
def test_wait_ends_with_the_decision(consortium: Consortium, against: tuple[str, ...], status: str, code: int) -> None:
    command = [sys.executable, "-m", "yunhe.cli", "--json", "contract", "deploy", "other", consortium.file("other", FIRST), "--wait"]
    environment = {"YUNHE_KEY_PASSPHRASE": PASSPHRASE}
    with subprocess.Popen([*command, *consortium.by("port")], stdout=subprocess.PIPE, text=True, env=environment) as waiting:
        with consortium.node.client() as client:
            proposed = next(client.follow("governance", "Proposed", {"kind": "contract", "proposer": "port"}, from_height=4))
            number = proposed["fields"]["proposal_id"]
        voted = yunhe_json("org", "vote", str(number), *against, *consortium.by("bank"))
        assert voted["status"] == status
        output, _ = waiting.communicate(timeout=60)
    assert (json.loads(output)["status"], waiting.returncode) == (status, code)


def test_wait_that_ends_before_the_decision_says_who_has_not_voted_and_leaves_the_proposal_open(consortium: Consortium) -> None:
    source = consortium.file("other", FIRST)
    done = yunhe("--json", "contract", "deploy", "other", source, "--wait", "--wait-s", "1", *consortium.by("port"))
    told = json.loads(done.stderr)
    assert (done.returncode, told["code"], done.stdout) == (3, "DECISION_PENDING", "")
    (number,) = re.findall(r"^proposal (\d+) is not decided after 1 s and stays open: ", told["message"])
    assert (
        f"approved by port; it needs more than half of 2 organisations, and bank can still vote: yunhe org vote {number}" in told["message"]
    )
    assert yunhe_json("org", "vote", number, *consortium.by("bank"))["status"] == "accepted"


def test_review_of_another_kind_of_proposal_says_so(consortium: Consortium) -> None:
    done = yunhe("contract", "review", "2", "--folder", str(consortium.node.folder))
    assert (done.returncode, "no deployment or upgrade of a contract, but admit_organisation" in done.stderr) == (1, True), done.stderr
    none = yunhe("contract", "review", "99", "--folder", str(consortium.node.folder))
    assert (none.returncode, "there is no proposal 99" in none.stderr) == (1, True), none.stderr
