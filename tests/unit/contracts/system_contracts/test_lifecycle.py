"""Contracts from submission to retirement: SYS-020 to SYS-023."""

import pytest

from tests.unit.contracts.system_contracts.consortium import TIME_MS, Consortium
from yunhe.contracts.loader import source_hash
from yunhe.contracts.system_contracts import system_code_hashes, system_source
from yunhe.crypto import SHA256
from yunhe.errors import ViewRefusedError
from yunhe.ledger.layouts import SYSTEM_CONTRACTS

COUNTER = '''"""Counts."""
from yunhe.contracts import Context, Map, action, view

counts: Map[str, int] = Map(default=0)


@action
def add(ctx: Context) -> int:
    """Count one more."""
    counts["all"] += 1
    return counts["all"]


@view
def total(ctx: Context) -> int:
    """Return the count."""
    return counts["all"]
'''
COUNTER_BY_TEN = COUNTER.replace("+= 1", "+= 10")


@pytest.fixture
def consortium() -> Consortium:
    return Consortium()


def submit(consortium: Consortium, source: str) -> bytes:
    digest: bytes = consortium.does("port/clerk", "lifecycle.submit", source=source)
    return digest


def operations(consortium: Consortium, contract: str) -> list[tuple[str, int]]:
    return [(step["operation"], step["version"]) for step in consortium.view("lifecycle.history", contract=contract)]


# --- Submission -----------------------------------------------------------------------------------------------------


def test_source_submitted_by_anyone_enrolled_is_on_record_under_its_hash(consortium):
    """SYS-020"""
    digest = submit(consortium, COUNTER)
    assert digest == source_hash(COUNTER, SHA256)
    assert consortium.record("lifecycle.sources", digest) == {"code_hash": digest, "source": COUNTER}
    assert consortium.record("lifecycle.submissions", digest) == {
        "code_hash": digest,
        "organisation": "port",
        "member": "clerk",
        "height": 1,
    }


def test_source_submitted_again_keeps_its_first_submission(consortium):
    """SYS-020"""
    digest = submit(consortium, COUNTER)
    first = consortium.record("lifecycle.submissions", digest)
    assert consortium.does("bank/admin", "lifecycle.submit", source=COUNTER) == digest
    assert consortium.record("lifecycle.submissions", digest) == first


REFUSED = {
    "an import": "import os\n",
    "no Python": "def f(:\n",
    "a system function": "from yunhe.contracts.system import check_source\n",
    "a module level that does not run": COUNTER + "\n\nX = 1 // 0\n",
}


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_source_that_the_checker_refuses_is_refused(consortium, source):
    """SYS-020"""
    consortium.refuses("SOURCE_REFUSED", "carrier/admin", "lifecycle.submit", source=source)


def test_source_submitted_by_someone_not_enrolled_is_refused(consortium):
    """SYS-020, LED-020"""
    consortium.refuses("NOT_ENROLLED", "yard/admin", "lifecycle.submit", source=COUNTER)


# --- Deployment -----------------------------------------------------------------------------------------------------


def test_contract_deployed_by_vote_runs_in_the_next_transaction_of_the_block(consortium):
    """SYS-021, CON-145"""
    digest = submit(consortium, COUNTER)
    number = consortium.does("carrier/admin", "governance.propose_deployment", contract="counter", code_hash=digest)
    uses = consortium.transaction("port/clerk", ("counter.add", {}))
    votes = consortium.transaction("bank/admin", ("governance.vote", {"proposal_id": number, "approve": True}))
    assert [outcome.code for outcome in consortium.block(uses, votes, uses)] == ["CONTRACT_NOT_FOUND", "OK", "OK"]
    assert consortium.view("counter.total") == 1
    assert consortium.view("lifecycle.source", contract="counter") == COUNTER


def test_deployment_is_a_record_with_height_time_hash_and_version(consortium):
    """SYS-021"""
    digest = consortium.deploy("counter", COUNTER)
    assert consortium.view("lifecycle.history", contract="counter") == [
        {
            "contract": "counter",
            "number": 1,
            "operation": "deploy",
            "code_hash": digest,
            "version": 1,
            "height": 3,
            "time_ms": TIME_MS + 3,
        }
    ]


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("deploy", {"contract": "other", "digest": bytes(32)}),
        ("upgrade", {"contract": "counter", "digest": bytes(32)}),
        ("freeze", {"contract": "counter"}),
        ("unfreeze", {"contract": "counter"}),
        ("retire", {"contract": "counter"}),
    ],
)
def test_step_without_a_vote_is_refused(consortium, action, arguments):
    """SYS-021"""
    consortium.deploy("counter", COUNTER)
    consortium.refuses("BY_VOTE_ONLY", "carrier/admin", f"lifecycle.{action}", **arguments)


def test_deployment_of_a_source_that_nobody_submitted_is_refused(consortium):
    """SYS-020"""
    consortium.refuses(
        "SOURCE_NOT_FOUND", "carrier/admin", "governance.propose_deployment", contract="counter", code_hash=source_hash(COUNTER, SHA256)
    )


def test_deployment_of_a_system_contracts_source_is_refused(consortium):
    """SYS-020: it lies in the state and may do what the checker allows nobody else."""
    code_hash = system_code_hashes(SHA256)["lifecycle"]
    consortium.refuses("SOURCE_NOT_FOUND", "carrier/admin", "governance.propose_deployment", contract="copy", code_hash=code_hash)
    consortium.refuses("SOURCE_REFUSED", "carrier/admin", "lifecycle.submit", source=system_source("lifecycle"))
    consortium.deploy("counter", COUNTER)
    consortium.refuses("SOURCE_NOT_FOUND", "carrier/admin", "governance.propose_upgrade", contract="counter", code_hash=code_hash)


def test_deployment_of_a_system_contracts_source_that_was_submitted_is_a_contract_like_any(consortium):
    """SYS-020, SYS-023: the registry needs no system function; a copy of it has its own records and no power."""
    consortium.deploy("copy", system_source("registry"))
    assert consortium.view("copy.active_organisations") == []
    assert not consortium.view("lifecycle.contract", contract="copy")["system"]


@pytest.mark.parametrize("name", ["Counter", "", "9lives", "a-b", "_a", "a" * 41, "ünder"])
def test_deployment_under_a_name_that_is_none_is_refused(consortium, name):
    """SYS-022, COD-032"""
    digest = submit(consortium, COUNTER)
    consortium.refuses("NOT_A_NAME", "carrier/admin", "governance.propose_deployment", contract=name, code_hash=digest)


@pytest.mark.parametrize("name", ["a", "a" * 40, "a_9"])
def test_deployment_under_a_name_is_accepted(consortium, name):
    """SYS-022, COD-032"""
    consortium.deploy(name, COUNTER)
    assert consortium.does("port/clerk", f"{name}.add") == 1


@pytest.mark.parametrize("name", ["counter", *SYSTEM_CONTRACTS])
def test_deployment_under_a_name_in_use_is_refused(consortium, name):
    """SYS-022, SYS-023"""
    digest = consortium.deploy("counter", COUNTER)
    consortium.refuses("NAME_TAKEN", "carrier/admin", "governance.propose_deployment", contract=name, code_hash=digest)


def test_one_source_under_two_names_is_two_contracts(consortium):
    """SYS-022"""
    consortium.deploy("counter", COUNTER)
    consortium.deploy("other", COUNTER)
    consortium.does("port/clerk", "counter.add")
    assert (consortium.view("counter.total"), consortium.view("other.total")) == (1, 0)


def test_deployment_of_a_name_taken_since_refuses_the_deciding_vote(consortium):
    """SYS-012, SYS-022"""
    digest = submit(consortium, COUNTER)
    late = consortium.does("carrier/admin", "governance.propose_deployment", contract="counter", code_hash=digest)
    consortium.deploy("counter", COUNTER_BY_TEN)
    consortium.refuses("NAME_TAKEN", "bank/admin", "governance.vote", proposal_id=late, approve=True)


# --- Upgrade, freeze, retire ----------------------------------------------------------------------------------------


def test_contract_upgraded_keeps_its_records_and_counts_its_versions(consortium):
    """SYS-021"""
    consortium.deploy("counter", COUNTER)
    consortium.does("port/clerk", "counter.add")
    digest = submit(consortium, COUNTER_BY_TEN)
    assert consortium.agree("propose_upgrade", contract="counter", code_hash=digest) == "accepted"
    assert consortium.does("port/clerk", "counter.add") == 11
    assert consortium.view("lifecycle.contract", contract="counter")["version"] == 2
    assert operations(consortium, "counter") == [("deploy", 1), ("upgrade", 2)]


def test_upgrade_to_the_same_or_an_unknown_source_is_refused(consortium):
    """SYS-020, SYS-021"""
    digest = consortium.deploy("counter", COUNTER)
    consortium.refuses("UNCHANGED", "carrier/admin", "governance.propose_upgrade", contract="counter", code_hash=digest)
    consortium.refuses("SOURCE_NOT_FOUND", "carrier/admin", "governance.propose_upgrade", contract="counter", code_hash=bytes(32))
    consortium.refuses("NOT_FOUND", "carrier/admin", "governance.propose_upgrade", contract="other", code_hash=digest)


def test_contract_frozen_answers_views_and_refuses_actions_until_it_is_unfrozen(consortium):
    """SYS-021, SYS-022"""
    consortium.deploy("counter", COUNTER)
    consortium.does("port/clerk", "counter.add")
    assert consortium.agree("propose_contract_status", contract="counter", operation="freeze") == "accepted"
    consortium.refuses("CONTRACT_FROZEN", "port/clerk", "counter.add")
    assert consortium.view("counter.total") == 1
    assert consortium.agree("propose_contract_status", contract="counter", operation="unfreeze") == "accepted"
    assert consortium.does("port/clerk", "counter.add") == 2
    assert [operation for operation, _ in operations(consortium, "counter")] == ["deploy", "freeze", "unfreeze"]


def test_contract_upgraded_while_frozen_stays_frozen(consortium):
    """SYS-021"""
    consortium.deploy("counter", COUNTER)
    consortium.agree("propose_contract_status", contract="counter", operation="freeze")
    assert consortium.agree("propose_upgrade", contract="counter", code_hash=submit(consortium, COUNTER_BY_TEN)) == "accepted"
    consortium.refuses("CONTRACT_FROZEN", "port/clerk", "counter.add")


@pytest.mark.parametrize("frozen", [False, True])
def test_contract_retired_answers_views_and_keeps_name_and_records_for_ever(consortium, frozen):
    """SYS-022"""
    digest = consortium.deploy("counter", COUNTER)
    consortium.does("port/clerk", "counter.add")
    if frozen:
        consortium.agree("propose_contract_status", contract="counter", operation="freeze")
    assert consortium.agree("propose_contract_status", contract="counter", operation="retire") == "accepted"
    consortium.refuses("CONTRACT_RETIRED", "port/clerk", "counter.add")
    assert consortium.view("counter.total") == 1
    other = submit(consortium, COUNTER_BY_TEN)
    consortium.refuses("NAME_TAKEN", "carrier/admin", "governance.propose_deployment", contract="counter", code_hash=digest)
    consortium.refuses("RETIRED", "carrier/admin", "governance.propose_upgrade", contract="counter", code_hash=other)
    for operation in ("freeze", "unfreeze", "retire"):
        consortium.refuses("RETIRED", "carrier/admin", "governance.propose_contract_status", contract="counter", operation=operation)
    assert operations(consortium, "counter")[-1] == ("retire", 1)


def test_step_that_changes_nothing_is_refused(consortium):
    """SYS-021"""
    consortium.deploy("counter", COUNTER)
    consortium.refuses("UNCHANGED", "carrier/admin", "governance.propose_contract_status", contract="counter", operation="unfreeze")
    consortium.agree("propose_contract_status", contract="counter", operation="freeze")
    consortium.refuses("UNCHANGED", "carrier/admin", "governance.propose_contract_status", contract="counter", operation="freeze")
    consortium.refuses("OPERATION_UNKNOWN", "carrier/admin", "governance.propose_contract_status", contract="counter", operation="melt")


# --- System contracts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SYSTEM_CONTRACTS)
def test_system_contract_is_not_changed_by_vote(consortium, name):
    """SYS-023"""
    digest = submit(consortium, COUNTER)
    consortium.refuses("SYSTEM_CONTRACT", "carrier/admin", "governance.propose_upgrade", contract=name, code_hash=digest)
    for operation in ("freeze", "unfreeze", "retire"):
        consortium.refuses("SYSTEM_CONTRACT", "carrier/admin", "governance.propose_contract_status", contract=name, operation=operation)


def test_contract_that_is_no_system_contract_is_changed_by_vote(consortium):
    """SYS-023"""
    consortium.deploy("counter", COUNTER)
    assert consortium.agree("propose_contract_status", contract="counter", operation="freeze") == "accepted"


def test_source_of_a_contract_that_is_not_deployed_is_not_found(consortium):
    with pytest.raises(ViewRefusedError) as refused:
        consortium.view("lifecycle.source", contract="counter")
    assert refused.value.refusal == "NOT_FOUND"
