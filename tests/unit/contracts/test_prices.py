"""What gas buys has to fit where it goes: a block that no record of the log can hold would halt every node (LED-024)."""

from yunhe import limits
from yunhe.contracts import prices

HEADS_BYTES = 1024
"""More than a receipt, its id and a fault's text take for one transaction besides what its gas paid for."""


def test_everything_that_a_block_can_put_out_fits_into_its_record_and_into_a_message() -> None:
    # A transaction may begin with one gas left in its block, and use all of its own.
    gas = limits.BLOCK_GAS_MAX + limits.GAS_LIMIT_MAX
    paid = gas // min(prices.WRITE_BYTE, prices.RESULT_BYTE, prices.EVENT_BYTE)
    most = paid + limits.BLOCK_BYTES_MAX + limits.BLOCK_TRANSACTIONS_MAX * HEADS_BYTES
    assert most <= min(limits.BLOCK_RECORD_BYTES_MAX, limits.WORKER_MESSAGE_BYTES_MAX)
