"""CON-140: any writes, deletions and scans over two overlays are those of one ordered dict."""

from hypothesis import given
from hypothesis import strategies as st

from yunhe.contracts.overlay import CommittedState, Overlay
from yunhe.testing import MemoryState

keys = st.binary(min_size=1, max_size=2)
writes = st.lists(st.tuples(keys, st.none() | st.binary(max_size=2)), max_size=30)


@given(st.dictionaries(keys, st.binary(max_size=2), max_size=20), st.lists(writes, max_size=5), keys, keys, st.integers(0, 9))
def test_con_140_overlays_equal_a_dict(committed, transactions, start, end, limit) -> None:
    model = dict(committed)
    block = Overlay(CommittedState(MemoryState(committed)))
    for changes in transactions:
        transaction = Overlay(block)
        for key, record in changes:
            transaction.put(key, record)
            model[key] = record
            expected = sorted((k, v) for k, v in model.items() if v is not None and start <= k < end)
            assert transaction.scan(start, end, limit) == expected[:limit]
            assert transaction.scan(start, end, limit, reverse=True) == expected[::-1][:limit]
        transaction.merge_down()
    assert all(block.get(key) == record for key, record in model.items())
    state = MemoryState(committed)
    state.apply(block.net_writes())
    assert state.records() == {key: record for key, record in model.items() if record is not None}
