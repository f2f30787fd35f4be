"""A bill is refused by a bank, amended, passed on in blank and surrendered for the goods."""

from yunhe.contracts import Org
from yunhe.testing import Call, Chain, invariants_of
from yunhe_maritime import bill_invariants, bill_of_lading
from yunhe_maritime.bill_of_lading import Act

CARRIER = Org("carrier")
FIRST, AMENDED = "QYHL26NGB004711", "QYHL26NGB004711-2"
DRAFT, CORRECTED = "5e" * 32, "a3" * 32


def scenario(chain: Chain) -> None:
    """Play it: `yunhe contract run scenario.py` tells what each call did."""
    chain.deploy(bill_of_lading)
    chain.keep(*invariants_of(bill_invariants))
    carrier, shipper = chain.member(CARRIER, roles=["carrier"]), chain.member("shipper")
    bank, buyer = chain.member("bank"), chain.member("buyer")
    shipper_org, bank_org = shipper.organisation, bank.organisation

    # Another carrier's bill of the same number is another bill; the document has one bill whoever issues it.
    rival = chain.member("rival", roles=["carrier"])
    carrier.call(bill_of_lading.issue, FIRST, DRAFT, shipper_org, None, shipper_org)
    rival.call(bill_of_lading.issue, FIRST, "00" * 32, shipper_org, None, None)
    with chain.refuses("DOCUMENT_ALREADY_ISSUED"):
        rival.call(bill_of_lading.issue, AMENDED, DRAFT, shipper_org, None, None)

    # The shipper endorses it to the bank's order and hands it over; the bank finds a wrong weight and refuses.
    shipper.transact(
        Call(bill_of_lading.endorse_to_order, CARRIER, FIRST, bank_org),
        Call(bill_of_lading.transfer, CARRIER, FIRST, bank_org),
    )
    bank.call(bill_of_lading.refuse_endorsement, CARRIER, FIRST)

    # So the shipper has it amended. The old bill is void in the transaction that issues the new one.
    shipper.call(bill_of_lading.surrender, CARRIER, FIRST, for_amendment=True)
    chain.together(carrier, shipper).call(bill_of_lading.amend, FIRST, AMENDED, CORRECTED, None, shipper_org)
    with chain.refuses("VOID"):
        shipper.call(bill_of_lading.transfer, CARRIER, FIRST, bank_org)

    # The amended one goes to the bank in blank, from there to the buyer, and back to the carrier for the goods.
    shipper.transact(
        Call(bill_of_lading.endorse_in_blank, CARRIER, AMENDED),
        Call(bill_of_lading.transfer, CARRIER, AMENDED, bank_org),
    )
    with chain.refuses("NOT_HOLDER"):
        buyer.call(bill_of_lading.surrender, CARRIER, AMENDED, for_amendment=False)
    bank.call(bill_of_lading.transfer, CARRIER, AMENDED, buyer.organisation)
    buyer.call(bill_of_lading.surrender, CARRIER, AMENDED, for_amendment=False)
    assert chain.view(bill_of_lading.surrendered, CARRIER) == [AMENDED]
    carrier.call(bill_of_lading.accept_surrender, AMENDED)
    back = [step.act for step in chain.view(bill_of_lading.chain, CARRIER, AMENDED)]
    assert back == [
        Act.ISSUE,
        Act.BLANK_ENDORSE,
        Act.TRANSFER,
        Act.TRANSFER,
        Act.SURRENDER_FOR_DELIVERY,
        Act.SURRENDER_ACCEPTED,
    ]
