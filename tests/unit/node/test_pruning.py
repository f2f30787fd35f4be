"""A node whose oldest blocks were pruned: what it answers of them, and what it does not let go."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.unit.gateway.served_node import CBOR, TOKEN
from tests.unit.node.open_node import DEADLINE_S, SUITE, make_folder, transaction
from yunhe import verifier
from yunhe.errors import BlockPrunedError, FolderInUseError, TransactionPrunedError
from yunhe.gateway.app import create_app
from yunhe.ledger.transaction import Transaction
from yunhe.node import Node, NodeFolder, ProofSubjectRequest, back_up, check_ledger, past_transaction, prune, restore
from yunhe.node.events import EventFilter, EventPlace
from yunhe.node.node import clock_ms
from yunhe.node.tokens import AccessTokens
from yunhe.node.webhooks.register import Hook, Register
from yunhe.storage import Continuation, LedgerStore, LogReader

DAY_MS = 24 * 60 * 60 * 1000
BLOCKS = 12
ANY = EventFilter()


def silent(done: int, total: int) -> None:
    """A progress that nobody watches."""


def quiet(what: str, done: int, total: int) -> None:
    """A progress of a replay that nobody watches."""


def run(folder: NodeFolder, clock: Callable[[], int], body: Callable[[Node, httpx.AsyncClient], Awaitable[None]]) -> None:
    """Serve a node whose clock a test holds."""

    async def serve() -> None:
        node = Node(folder, clock)
        app = create_app(node, AccessTokens(TOKEN, None, clock))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://node", headers={"Authorization": f"Bearer {TOKEN}"}) as client,
        ):
            await body(node, client)

    asyncio.run(serve())


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[NodeFolder, list[Transaction], list[int]]:
    """A stopped node with a block a day, each in a segment of its own, and its clock."""
    real = LedgerStore.open
    monkeypatch.setattr(LedgerStore, "open", lambda *given, **named: real(*given, **({"segment_bytes_max": 100} | named)))
    folder = make_folder(tmp_path / "node", parameters={"state_history_blocks": 2})
    now = [clock_ms()]
    made: list[Transaction] = []

    async def body(node: Node, client: httpx.AsyncClient) -> None:
        for number in range(BLOCKS):
            now[0] += DAY_MS
            one = transaction(node, "enrol_member", member=f"m{number}", roles=[], suite=SUITE, public_key=bytes(31) + bytes([number]))
            answer = await client.post("/v1/transactions", content=one.encoded, headers=CBOR, timeout=DEADLINE_S)
            assert answer.json()["receipt"]["code"] == "OK"
            made.append(one)

    run(folder, lambda: now[0], body)
    return folder, made, now


def test_what_was_pruned_is_refused_by_name_and_what_is_kept_is_answered(ledger, tmp_path: Path) -> None:
    """STO-033, EVT-016: over every face of the node."""
    folder, made, now = ledger
    done = prune(folder, 5, None, silent, dry_run=False)
    assert (done.oldest_before, done.oldest) == (0, BLOCKS - 5)
    assert check_ledger(folder, silent, replay=True).pruned == done.oldest
    old, kept = made[done.oldest - 2], made[done.oldest - 1]

    async def body(node: Node, client: httpx.AsyncClient) -> None:
        async def code(path: str) -> tuple[int, object]:
            answer = await client.get(path)
            return answer.status_code, answer.json().get("code")

        for path in (f"/v1/transactions/{old.id.hex()}", f"/v1/receipts/{old.id.hex()}"):
            assert await code(path) == (410, "TRANSACTION_PRUNED")
        assert await code(f"/v1/receipts/{'0' * 64}") == (404, "TRANSACTION_NOT_FOUND")
        assert await code(f"/v1/receipts/{kept.id.hex()}") == (200, None)
        assert await code(f"/v1/blocks/{done.oldest - 1}") == (410, "BLOCK_PRUNED")
        assert len((await client.get("/v1/blocks?limit=100")).json()["items"]) == BLOCKS + 1
        again = await client.post("/v1/transactions", content=old.encoded, headers=CBOR)
        assert (again.status_code, again.json()["code"]) == (410, "TRANSACTION_PRUNED")
        again = await client.post("/v1/transactions", content=kept.encoded, headers=CBOR)
        assert (again.status_code, again.json()["height"]) == (200, done.oldest)
        assert await code("/v1/events?from_height=2") == (410, "BLOCK_PRUNED")
        assert await code(f"/v1/events?cursor={done.oldest - 2}.0.0") == (410, "BLOCK_PRUNED")
        assert await code("/v1/events/stream?from_height=2") == (410, "BLOCK_PRUNED")
        # From the beginning, which is the oldest block then.
        assert {item["height"] for item in (await client.get("/v1/events")).json()["items"]} <= set(range(done.oldest, BLOCKS + 1))
        # API-026 refused, and accepted as far back as there are blocks.
        versions = "/v1/contracts/registry/tables/members/record/versions?key="
        gone, there = f'{versions}["port","m{done.oldest - 2}"]', f'{versions}["port","m{done.oldest - 1}"]'
        assert await code(f"{gone}&from_height={done.oldest - 1}") == (410, "BLOCK_PRUNED")
        for path, heights in ((gone, []), (there, [done.oldest])):
            listed = (await client.get(path)).json()
            assert ([item["height"] for item in listed["items"]], listed["oldest"], listed["next"]) == (heights, done.oldest, None)
        bundle = node.certification.prove([ProofSubjectRequest.of_record("registry", "members", ("port", "m0"))], None)
        verifier.verify(bundle, (folder.path / "genesis.json").read_bytes())
        with pytest.raises(BlockPrunedError):
            node.certification.prove([ProofSubjectRequest("transaction", old.id)], None)
        bundle = node.certification.prove([ProofSubjectRequest("transaction", kept.id)], None)
        verifier.verify(bundle, (folder.path / "genesis.json").read_bytes())
        one = transaction(node)
        assert (await client.post("/v1/transactions", content=one.encoded, headers=CBOR, timeout=DEADLINE_S)).json()["height"] == BLOCKS + 1

    run(folder, lambda: now[0], body)
    with past_transaction(folder, kept.id, quiet, scratch=tmp_path) as past:
        assert past.replay().transaction.id == kept.id
    with pytest.raises(TransactionPrunedError, match=f"in block {done.oldest - 1}"), past_transaction(folder, old.id, quiet):
        pass


def test_bundle_of_a_pruned_transaction_stays_valid(ledger) -> None:
    folder, made, now = ledger
    bundles: list[bytes] = []

    async def body(node: Node, _client: httpx.AsyncClient) -> None:
        bundles.append(node.certification.prove([ProofSubjectRequest("receipt", made[0].id)], None))

    run(folder, lambda: now[0], body)
    prune(folder, 5, None, silent, dry_run=False)
    verifier.verify(bundles[0], (folder.path / "genesis.json").read_bytes())


def test_backup_of_a_pruned_node_restores_to_the_same(ledger, tmp_path: Path) -> None:
    """STO-019, STO-034."""
    folder, made, _ = ledger
    oldest = prune(folder, 5, None, silent, dry_run=False).oldest
    path, _ = back_up(folder, tmp_path / "a.backup", silent)
    restored, mark = restore(path, tmp_path / "restored", Continuation.COMPLETE, None, silent)
    assert mark.height == BLOCKS
    with restored.open_store(silent) as store, folder.open_store(silent) as other:
        assert (store.oldest, store.head(), store.log_root()) == (oldest, other.head(), other.log_root())
        assert store.locate(made[0].id) == other.locate(made[0].id)
        assert store.reader().scan(b"\0", b"\xff" * 9, 1000) == other.reader().scan(b"\0", b"\xff" * 9, 1000)


def test_events_that_a_webhook_has_not_sent_keep_their_blocks(ledger) -> None:
    """STO-036."""
    folder, _, _ = ledger
    register = Register(folder.path / "webhooks.db")
    register.add(Hook("a", "https://example.org", "s", ANY, 0, "3"))
    register.close()
    assert prune(folder, 0, None, silent, dry_run=True).oldest == 4
    register = Register(folder.path / "webhooks.db")
    register.advance("a", "9.0.0")
    register.close()
    assert prune(folder, 0, None, silent, dry_run=False).oldest == 9


def test_dead_letters_that_wait_to_be_tried_again_keep_their_blocks(ledger) -> None:
    """STO-036 accepted; refused for those that nobody asked for again: they would keep everything for ever."""
    folder, _, _ = ledger
    register = Register(folder.path / "webhooks.db")
    register.add(Hook("a", "https://example.org", "s", ANY, 0, "9.0.0"))
    register.add(Hook("b", "https://example.org", "s", ANY, 0, "9.0.0"))
    for event in ("8.0.0", "3.0.0", "5.0.0"):
        register.bury("a", event, "TIMED_OUT", 0)
    register.bury("b", "2.0.0", "TIMED_OUT", 0)
    assert prune(folder, 0, None, silent, dry_run=True).oldest == 9
    register.try_again("a")
    assert prune(folder, 0, None, silent, dry_run=True).oldest == 3
    register.revive("a", "3.0.0")
    register.bury("a", "5.0.0", "TIMED_OUT", 0)
    register.close()
    assert prune(folder, 0, None, silent, dry_run=False).oldest == 8


def test_past_is_replayed_while_its_reader_holds_pruning_off_a_second_time(ledger, tmp_path: Path) -> None:
    """STO-035: a pruning that was put off has left its state, and the one from which the blocks go on is still used."""
    folder, made, _ = ledger
    oldest = prune(folder, 8, None, silent, dry_run=False).oldest
    log = LogReader.open(folder.path / "store", folder.genesis)
    with pytest.raises(FolderInUseError, match="a backup or a replay"):
        prune(folder, 5, None, silent, dry_run=False)
    log.close()
    assert len(list((folder.path / "store" / "checkpoint").iterdir())) == 2
    for one in made[oldest - 1 :]:
        with past_transaction(folder, one.id, quiet, scratch=tmp_path) as past:
            assert past.replay().transaction.id == one.id
    with pytest.raises(TransactionPrunedError), past_transaction(folder, made[oldest - 2].id, quiet):
        pass
    assert prune(folder, 5, None, silent, dry_run=False).oldest == BLOCKS - 5


def test_events_before_the_oldest_block_are_never_passed_over_unseen(ledger) -> None:
    """EVT-016."""
    folder, _, now = ledger
    oldest = prune(folder, 5, None, silent, dry_run=False).oldest

    async def body(node: Node, _client: httpx.AsyncClient) -> None:
        assert node.events.kept(EventPlace(0)) == EventPlace(oldest)
        assert node.events.kept(EventPlace(oldest, 1, 2)) == EventPlace(oldest, 1, 2)
        for place in (EventPlace(1), EventPlace(oldest - 1, 5, 5), EventPlace(0, 0, 1)):
            with pytest.raises(BlockPrunedError, match=f"those of block {oldest}"):
                node.events.read(place, ANY, 10)

    run(folder, lambda: now[0], body)


def test_node_that_runs_prunes_as_its_settings_say_and_goes_on(ledger) -> None:
    """STO-036, STO-037: in a thread beside the blocks."""
    folder, made, now = ledger

    async def body(node: Node, client: httpx.AsyncClient) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while node.store.oldest < BLOCKS - 5:
                one = transaction(node, salt=node.head().height)
                assert (await client.post("/v1/transactions", content=one.encoded, headers=CBOR, timeout=DEADLINE_S)).status_code == 200
        assert (await client.get(f"/v1/receipts/{made[0].id.hex()}")).json()["code"] == "TRANSACTION_PRUNED"
        assert (await client.get(f"/v1/receipts/{made[-1].id.hex()}")).status_code == 200
        assert len((await client.get("/v1/blocks?limit=1000")).json()["items"]) == node.head().height + 1

    run(replace(folder, config=replace(folder.config, prune_keep_days=5)), lambda: now[0], body)
    assert check_ledger(folder, silent, replay=True).pruned == BLOCKS - 5


def test_reader_beside_the_node_holds_pruning_off(ledger) -> None:
    """STO-037 refused as long as a backup or replay reads, and nothing goes under it."""
    folder, _, now = ledger
    log = LogReader.open(folder.path / "store", folder.genesis)

    async def body(node: Node, _client: httpx.AsyncClient) -> None:
        assert node.store.oldest == 0

    for _ in range(2):
        with pytest.raises(FolderInUseError, match="a backup or a replay"):
            prune(folder, 5, None, silent, dry_run=False)
        assert [log.record(height).header for height in range(BLOCKS + 1)]
    run(replace(folder, config=replace(folder.config, prune_keep_days=5)), lambda: now[0], body)
    log.close()
    assert prune(folder, 5, None, silent, dry_run=False).oldest == BLOCKS - 5
