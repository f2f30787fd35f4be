"""How much contract source one block checks: CON-132."""

import pytest

from tests.contract_ledger import contract
from tests.unit.contracts.system_contracts.consortium import Consortium
from yunhe.ledger.transaction import Transaction
from yunhe.limits import BLOCK_SOURCE_BYTES_MAX, CONTRACT_SOURCE_BYTES_MAX

SHELF = contract("""
class Box(Record):
    name: str

boxes: Table[Box] = Table(key="name")

@view
def count(ctx: Context) -> int:
    return boxes.count()
""")
LOWEST_GAS_LIMIT = 20_000_000
"""Below which no vote can set `gas_limit_max` (SYS-013)."""
PART = BLOCK_SOURCE_BYTES_MAX // 8
"""Bytes of sources of which eight fit into a block."""


def source(size: int, mark: str = "a") -> str:
    """Return a source of so many bytes."""
    return f"{SHELF}# {mark}".ljust(size - 1, "a") + "\n"


@pytest.fixture
def consortium() -> Consortium:
    return Consortium()


def submission(consortium: Consortium, text: str) -> Transaction:
    return consortium.transaction("port/clerk", ("lifecycle.submit", {"source": text}))


def results(consortium: Consortium, *transactions: Transaction) -> list[str]:
    consortium.write("governance.parameters", "block_gas_max", name="block_gas_max", value=3_000_000_000)
    return [outcome.code for outcome in consortium.block(*transactions)]


def submitted(consortium: Consortium, size: int, mark: str) -> bytes:
    """Submit a source in a block of its own and return its code hash."""
    digest = consortium.does("port/clerk", "lifecycle.submit", source=source(size, mark))
    assert isinstance(digest, bytes)
    return digest


def test_con_132_block_checks_sources_up_to_its_limit_and_the_next_one_begins_anew(consortium) -> None:
    nine = [submission(consortium, source(PART, str(n))) for n in range(9)]
    assert results(consortium, *nine) == ["OK"] * 8 + ["BLOCK_SOURCES_USED_UP"]
    assert results(consortium, nine[8]) == ["OK"]


def test_con_132_smaller_source_still_fits_where_a_larger_one_did_not(consortium) -> None:
    sizes = [PART] * 7 + [PART + 1, PART, len(SHELF) + 10]
    expected = ["OK"] * 7 + ["BLOCK_SOURCES_USED_UP", "OK", "BLOCK_SOURCES_USED_UP"]
    assert results(consortium, *(submission(consortium, source(size, str(n))) for n, size in enumerate(sizes))) == expected


def test_con_132_source_counts_each_time_whatever_the_process_remembers_of_it(consortium) -> None:
    same = submission(consortium, source(PART))
    assert results(consortium, same) == ["OK"]
    assert results(consortium, *[same] * 9) == ["OK"] * 8 + ["BLOCK_SOURCES_USED_UP"]


def test_con_132_refused_source_counts_as_well(consortium) -> None:
    refused = source(PART).replace("return boxes", "yield boxes")
    transactions = [submission(consortium, refused)] * 8 + [submission(consortium, SHELF)]
    assert results(consortium, *transactions) == ["SOURCE_REFUSED"] * 8 + ["BLOCK_SOURCES_USED_UP"]


def test_con_132_proposals_of_upgrades_count_the_old_and_the_new_source(consortium) -> None:
    old = source(PART, "old")
    consortium.deploy("shelf", old)
    digests = [submitted(consortium, PART, str(n)) for n in range(5)]
    proposals = [
        consortium.transaction("carrier/admin", ("governance.propose_upgrade", {"contract": "shelf", "code_hash": digest}))
        for digest in digests
    ]
    assert results(consortium, *proposals) == ["OK"] * 4 + ["BLOCK_SOURCES_USED_UP"]


def test_con_132_transaction_counts_a_source_that_it_looks_into_once() -> None:
    # A majority of one: the proposal is checked, accepted and carried out in one transaction.
    consortium = Consortium("carrier")
    consortium.deploy("shelf", source(CONTRACT_SOURCE_BYTES_MAX, "old"), ["carrier"])
    digest = consortium.does("carrier/clerk", "lifecycle.submit", source=source(CONTRACT_SOURCE_BYTES_MAX, "new"))
    assert 2 * CONTRACT_SOURCE_BYTES_MAX == BLOCK_SOURCE_BYTES_MAX
    assert consortium.agree("propose_upgrade", ["carrier"], contract="shelf", code_hash=digest) == "accepted"


def test_con_132_one_source_for_several_contracts_counts_for_each(consortium) -> None:
    new = submitted(consortium, PART, "new")
    names = [f"shelf{number}" for number in range(8)]
    old = submitted(consortium, len(SHELF) + 10, "old")
    for name in names:
        assert consortium.agree("propose_deployment", contract=name, code_hash=old) == "accepted"
    calls = [("governance.propose_upgrade", {"contract": name, "code_hash": new}) for name in names]
    assert results(consortium, consortium.transaction("carrier/admin", *calls[:7])) == ["OK"]
    # The eight new sources alone would fit; with the old ones they do not.
    assert results(consortium, consortium.transaction("carrier/admin", *calls)) == ["BLOCK_SOURCES_USED_UP"]


def test_con_132_largest_source_fits_into_the_lowest_gas_limit(consortium) -> None:
    call = ("lifecycle.submit", {"source": source(CONTRACT_SOURCE_BYTES_MAX)})
    assert results(consortium, consortium.transaction("port/clerk", call, gas_limit=LOWEST_GAS_LIMIT)) == ["OK"]
