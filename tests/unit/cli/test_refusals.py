"""Every refusal of the system contracts is explained, and nothing else."""

import pytest

from yunhe.cli.main import main
from yunhe.cli.refusals import MEANINGS, RUNTIME_MEANINGS, meaning
from yunhe.contracts.codes import ALREADY_EXISTS, NOT_FOUND, ROLE_REQUIRED
from yunhe.contracts.interface import interface_of
from yunhe.contracts.system_contracts import system_source
from yunhe.contracts.vocabulary import RESERVED_CODES
from yunhe.errors import TransactionRefusedError
from yunhe.ledger.layouts import SYSTEM_CONTRACTS


def test_every_refusal_of_the_system_contracts_is_explained() -> None:
    declared = {code for name in SYSTEM_CONTRACTS for code in interface_of(system_source(name)).refusals}
    assert set(MEANINGS) == declared | {ALREADY_EXISTS, NOT_FOUND, ROLE_REQUIRED}


def test_every_code_of_the_runtime_is_explained() -> None:
    assert set(RUNTIME_MEANINGS) == RESERVED_CODES - {"OK"}


@pytest.mark.parametrize("text", [*MEANINGS.values(), *RUNTIME_MEANINGS.values()])
def test_meaning_is_a_sentence(text: str) -> None:
    assert text[0].isupper()
    assert text.endswith(".")


def test_code_of_another_contract_is_its_authors_to_explain() -> None:
    assert meaning("registry", "LAST_ADMIN")
    assert meaning("parcel", "LAST_ADMIN") == ""


def test_fault_of_any_contract_leads_to_its_replay() -> None:
    assert "yunhe tx replay" in meaning("parcel", "CONTRACT_FAULT")


def test_refusal_is_printed_with_its_meaning(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise TransactionRefusedError("governance", "vote", "ALREADY_VOTED", bytes(32))

    monkeypatch.setattr("yunhe.cli.main.app", lambda arguments, **options: refuse())
    monkeypatch.setattr("sys.argv", ["yunhe", "org", "vote", "1"])
    with pytest.raises(SystemExit, match="1"):
        main()
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("TRANSACTION_REFUSED: governance.vote was refused with ALREADY_VOTED")
    assert second == MEANINGS["ALREADY_VOTED"]
