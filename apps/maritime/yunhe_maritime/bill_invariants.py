"""What has to hold of all bills of lading after every transaction. A node knows nothing of it: tests check it.

Source: UNCITRAL Model Law on Electronic Transferable Records, articles 10 and 11; see `yunhe_maritime.bill_of_lading`.
"""

from yunhe.testing import Chain, invariant
from yunhe_maritime import bill_of_lading
from yunhe_maritime.bill_of_lading import Act, Bill, Status, Title

_HANDED_ON = (Act.ISSUE, Act.TRANSFER, Act.SURRENDER_FOR_DELIVERY, Act.SURRENDER_FOR_AMENDMENT, Act.SURRENDER_REJECTED)


@invariant
def a_document_has_one_bill_at_most(chain: Chain) -> None:
    """Singularity: MLETR article 10(1)(b)(i); bills that have ended count."""
    checksums = [bill.document_checksum for bill in _bills(chain)]
    assert len(checksums) == len(set(checksums))


@invariant
def the_back_of_a_bill_tells_who_holds_it(chain: Chain) -> None:
    """Control: MLETR article 11; each change of possession is an entry."""
    for bill in _bills(chain):
        assert bill.chain[0].act == Act.ISSUE, bill
        assert all(step.act != Act.ISSUE for step in bill.chain[1:]), bill
        holder = None
        for step in bill.chain:
            if step.act in _HANDED_ON or (step.act == Act.REFUSE_ENDORSEMENT and step.by == holder):
                holder = step.to
        assert holder == bill.holder, bill


@invariant
def a_title_that_somebody_has_is_named_and_one_in_blank_is_not(chain: Chain) -> None:
    """A bearer's bill names nobody; a straight one names its consignee."""
    for bill in _bills(chain):
        assert (bill.title == Title.BEARER) == (bill.title_holder is None), bill
        assert bill.title != Title.STRAIGHT or bill.title_holder == bill.consignee, bill


@invariant
def a_surrendered_bill_is_with_its_carrier(chain: Chain) -> None:
    """EBL_SUR 3.0.4: the carrier holds it from the request on."""
    for bill in _bills(chain):
        assert bill.status == Status.LIVE or bill.holder == bill.carrier, bill


@invariant
def an_ended_bill_ends_with_the_acceptance_of_what_was_asked(chain: Chain) -> None:
    """PINT 3.0.0: after SACC nothing follows."""
    asked = {Status.DELIVERED: Act.SURRENDER_FOR_DELIVERY, Status.VOID: Act.SURRENDER_FOR_AMENDMENT}
    for bill in _bills(chain):
        accepted = [position for position, step in enumerate(bill.chain) if step.act == Act.SURRENDER_ACCEPTED]
        assert accepted == ([len(bill.chain) - 1] if bill.status in asked else []), bill
        if bill.status in asked:
            assert bill.chain[-2].act == asked[bill.status], bill


@invariant
def a_void_bill_and_its_amended_one_name_each_other(chain: Chain) -> None:
    """MLETR article 16: an amendment is identified as such, on both records."""
    bills = chain.rows(bill_of_lading.bills)
    for bill in _bills(chain):
        assert (bill.status == Status.VOID) == (bill.replaced_by is not None), bill
        if bill.replaced_by is not None:
            new = bills[bill.carrier, bill.replaced_by]
            assert (new.replaces, new.chain[0].to) == (bill.bill_id, bill.chain[-1].to), new
        if bill.replaces is not None:
            assert bills[bill.carrier, bill.replaces].replaced_by == bill.bill_id, bill


def _bills(chain: Chain) -> list[Bill]:
    return list(chain.rows(bill_of_lading.bills).values())
