"""Rows of indexes in proof bundles: proven as records are, under names that no other table has (PRF-018)."""

import pytest

from tests.proof_chain import certifiers, sample_chain, sealed
from yunhe.verifier import VerificationError, verify

CHAIN = sample_chain(certifiers("bank", "carrier"))


# PRF-018, COD-062
@pytest.mark.parametrize("table", ["bills#holder", "bills#carrier,status", "b#" + ",".join(["a" * 40] * 8)])
def test_row_of_an_index_verifies_as_a_record_does(table: str) -> None:
    proof = verify(sealed(CHAIN.bundle([4], 2, CHAIN.state_subject(2, "ebl", table, ["bank", "B-1"]))), CHAIN.genesis)
    assert proof.subjects[0].fields == {"contract": "ebl", "table": table, "key": ["bank", "B-1"]}


# PRF-018
@pytest.mark.parametrize(
    "table",
    [
        "",
        "#holder",
        "bills#",
        "bills##holder",
        "bills#holder,",
        "bills#,holder",
        "bills#Holder",
        "bills#a#b",
        "bills,a",
        "b#" + ",".join("a" * 9),
    ],
)
def test_table_of_another_name_is_refused(table: str) -> None:
    bundle = CHAIN.bundle([4], 2, CHAIN.state_subject(2, "ebl", "bills", ["B-1"]))
    bundle[6][0][2] = table
    with pytest.raises(VerificationError) as refusal:
        verify(sealed(bundle), CHAIN.genesis)
    assert refusal.value.rule == "PRF-010"
