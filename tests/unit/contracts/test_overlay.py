"""CON-140: overlays, against a plain dict."""

import pytest

from yunhe.contracts.overlay import CommittedState, OrderedKeys, Overlay
from yunhe.testing import MemoryState


def keys(*numbers: int) -> list[bytes]:
    return [b"%05d" % number for number in numbers]


@pytest.mark.parametrize("reverse", [False, True])
def test_con_140_rows_merge_writes_and_deletions_into_the_state_in_order(reverse) -> None:
    state = MemoryState(dict.fromkeys(keys(1, 3, 5, 7), b"old"))
    overlay = Overlay(CommittedState(state))
    for key, record in zip(keys(0, 3, 5, 6, 9), [b"new", b"new", None, b"new", b"new"], strict=True):
        overlay.put(key, record)
    rows = list(overlay.rows(b"00001", b"00009", 2, reverse=reverse))
    expected = [(b"00001", b"old"), (b"00003", b"new"), (b"00005", None), (b"00006", b"new"), (b"00007", b"old")]
    assert rows == (expected[::-1] if reverse else expected)


def test_con_140_scan_of_an_overlay_leaves_deleted_records_out() -> None:
    overlay = Overlay(CommittedState(MemoryState(dict.fromkeys(keys(1, 2, 3), b"old"))))
    overlay.put(b"00002", None)
    assert overlay.scan(b"", b"9", 2) == [(b"00001", b"old"), (b"00003", b"old")]


def test_con_140_lower_layers_are_not_touched_until_merged() -> None:
    block = Overlay(CommittedState(MemoryState({b"a": b"1"})))
    transaction = Overlay(block)
    transaction.put(b"a", b"2")
    transaction.put(b"b", b"3")
    assert (transaction.get(b"a"), block.get(b"a"), block.get(b"b")) == (b"2", b"1", None)
    transaction.merge_down()
    assert [key for key, _ in block.rows(b"", b"z", 9, reverse=False)] == [b"a", b"b"]
    assert block.net_writes() == ((b"a", b"2"), (b"b", b"3"))


def test_con_140_record_made_and_deleted_in_a_block_is_no_change() -> None:
    block = Overlay(CommittedState(MemoryState({b"a": b"1"})))
    for key in (b"a", b"b"):
        block.put(key, b"x")
        block.put(key, None)
    assert block.net_writes() == ((b"a", None),)


def test_con_140_pages_of_a_state_join_without_gap_or_repetition() -> None:
    numbers = list(range(700))
    state = CommittedState(MemoryState(dict.fromkeys(keys(*numbers), b"")))
    assert [key for key, _ in state.rows(b"", b"9", 3, reverse=False)] == keys(*numbers)
    assert [key for key, _ in state.rows(b"", b"9", 3, reverse=True)] == keys(*numbers)[::-1]


def test_ordered_keys_in_many_runs_walk_from_anywhere() -> None:
    ordered = OrderedKeys()
    numbers = [(n * 7919) % 5000 for n in range(5000)]
    # The first walk makes the runs; later additions go into them one by one, and cut them.
    ordered.add_all(keys(*numbers[:3000]))
    assert list(ordered.walk(b"", b"9", reverse=False)) == sorted(keys(*numbers[:3000]))
    for start in range(3000, 5000, 100):
        ordered.add_all(keys(*numbers[start : start + 100]))
        assert next(ordered.walk(keys(2500)[0], b"9", reverse=False)) >= keys(2500)[0]
    everything = keys(*range(5000))
    assert list(ordered.walk(b"", b"9", reverse=False)) == everything
    assert list(ordered.walk(*keys(1234, 4321), reverse=False)) == everything[1234:4321]
    assert list(ordered.walk(*keys(1234, 4321), reverse=True)) == everything[1234:4321][::-1]
    assert list(ordered.walk(*keys(2000, 2000), reverse=False)) == []
