"""From the genesis over signed transactions in sealed envelopes to headers: the system contracts under `apply_block`."""

from collections.abc import Collection, Sequence

import pytest

from tests.unit.contracts.system_contracts.consortium import GAS_LIMIT, SUITE, TIME_MS, founder, key, make_genesis, private_key
from tests.unit.contracts.system_contracts.test_lifecycle import COUNTER
from yunhe.contracts.loader import source_hash
from yunhe.contracts.runner import BlockRunner
from yunhe.contracts.system_contracts import genesis_writes
from yunhe.crypto import SHA256
from yunhe.errors import NotPermittedError
from yunhe.ledger.admission import OpenedEnvelope, open_envelope
from yunhe.ledger.envelope import NodeIdentity, seal_envelope
from yunhe.ledger.interfaces import Write
from yunhe.ledger.layouts import read_certifiers
from yunhe.ledger.state_tree import state_root
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, sign_transaction
from yunhe.ledger.transition import EngineBlock, LedgerBlock, Transition, apply_block
from yunhe.testing import MemoryState


class Head(MemoryState):
    """A state with what the transition asks of a store."""

    def __init__(self, records: dict[bytes, bytes]) -> None:
        super().__init__(records)
        self.ids: set[bytes] = set()

    def stage(self, height: int, writes: Sequence[Write]) -> bytes:
        self.apply(writes)
        return state_root(self.records(), SHA256)

    def seen(self, ids: Collection[bytes]) -> set[bytes]:
        return self.ids & set(ids)


class Network:
    """A ledger whose transactions are signed and verified."""

    def __init__(self) -> None:
        genesis = make_genesis(certifiers=("bank", "carrier"))
        self.state = Head(dict(genesis_writes(genesis)))
        self.head = genesis.header(state_root(self.state.records(), SHA256))
        self.runner = BlockRunner()
        self.salt = 0

    def transaction(self, owner: str, *calls: tuple[str, dict]) -> Transaction:
        self.salt += 1
        organisation, member = owner.partition("#")[0].split("/")
        signer = Signer(organisation, member, SUITE, key(owner))
        named = tuple(Call(*name.split("."), arguments) for name, arguments in calls)
        valid_until_ms = self.head.time_ms + 60_000
        body = TransactionBody(self.head.network_id, (signer,), named, valid_until_ms, GAS_LIMIT, self.salt.to_bytes(16, "big"))
        return sign_transaction(body, [private_key(owner)], SHA256)

    def opened(self, node: NodeIdentity, *transactions: Transaction) -> OpenedEnvelope:
        encoded = [transaction.encoded for transaction in transactions]
        sealing = private_key(f"{node.organisation}/{node.node}")
        return open_envelope(seal_envelope(self.head.network_id, node, 1, encoded, sealing, SHA256).encoded, SHA256)

    def transition(self, *transactions: Transaction, organisation: str = "carrier") -> Transition:
        envelope = self.opened(founder(organisation).nodes[0], *transactions)
        engine_block = EngineBlock(self.head.height + 1, self.head.time_ms + 1, (envelope,))
        return apply_block(self.head, engine_block, self.state, self.runner, SHA256)

    def block(self, *transactions: Transaction) -> LedgerBlock:
        block = self.transition(*transactions).block
        assert block is not None
        self.state.ids |= {transaction.id for transaction in transactions}
        self.head = block.header
        return block

    def codes(self, *transactions: Transaction) -> list[str]:
        return [receipt.outcome.code for receipt in self.block(*transactions).receipts]


@pytest.fixture
def network() -> Network:
    return Network()


def vote(network: Network, owner: str, number: int) -> Transaction:
    return network.transaction(owner, ("governance.vote", {"proposal_id": number, "approve": True}))


def test_contract_goes_from_source_to_receipt(network):
    """SYS-020, SYS-021: submitted and proposed in one transaction, voted on and used in the next block."""
    submitted = network.transaction(
        "carrier/admin",
        ("lifecycle.submit", {"source": COUNTER}),
        ("governance.propose_deployment", {"contract": "counter", "code_hash": source_hash(COUNTER, SHA256)}),
    )
    receipt = network.block(submitted).receipts[0]
    assert receipt.outcome.results == (source_hash(COUNTER, SHA256), 1)
    assert network.codes(vote(network, "bank/admin", 1), network.transaction("port/clerk", ("counter.add", {}))) == ["OK", "OK"]
    assert network.head.state_root == state_root(network.state.records(), SHA256)
    assert network.head.height == 2


def test_certifier_changed_by_vote_is_in_the_next_header(network):
    """SYS-014, LED-041"""
    founders = network.head.next_certifiers
    removal = ("governance.propose_certifier_removal", {"organisation": "bank"})
    network.block(network.transaction("carrier/admin", removal))
    assert network.head.next_certifiers == founders
    network.block(vote(network, "port/admin", 1))
    assert network.head.next_certifiers == read_certifiers(network.state).hash(SHA256) != founders


def test_parameter_changed_by_vote_holds_from_the_next_block(network):
    """SYS-013, CON-141: the window is shortened; what was signed for longer has no effect any more."""
    change = {"name": "validity_window_ms", "value": 10_000}
    network.block(network.transaction("carrier/admin", ("governance.propose_parameter", change)))
    node = {"node": "spare", "suite": SUITE, "public_key": key("spare")}
    long = [network.transaction("port/admin", ("registry.enrol_node", node | {"node": name})) for name in ("one", "two")]
    assert network.codes(vote(network, "bank/admin", 1), long[0]) == ["OK", "OK"]
    transition = network.transition(long[1])
    assert transition.block is None
    assert [dropped.transaction_id for dropped in transition.dropped] == [long[1].id]


def test_node_of_a_suspended_organisation_is_not_heard(network):
    """SYS-001, COD-041"""
    network.block(network.transaction("carrier/admin", ("governance.propose_suspension", {"organisation": "port"})))
    heard = network.transaction("bank/clerk", ("registry.add_key", {"member": "clerk", "suite": SUITE, "public_key": key("x")}))
    network.block(vote(network, "bank/admin", 1))
    transition = network.transition(heard, organisation="port")
    assert transition.block is None
    assert isinstance(transition.dropped[0].error, NotPermittedError)
    assert network.transition(heard, organisation="bank").block is not None


def test_key_rotated_in_a_block_changes_who_signs_in_the_same_block(network):
    """SYS-003, SYS-004, LED-020, LED-023: one after the other, and each has its receipt."""
    rotation = {"member": "clerk", "old_public_key": key("port/clerk"), "suite": SUITE, "public_key": key("port/clerk#2")}
    other = {"member": "clerk", "suite": SUITE, "public_key": key("port/clerk#3")}
    codes = network.codes(
        network.transaction("port/clerk", ("registry.rotate_key", rotation)),
        network.transaction("port/clerk", ("registry.add_key", other)),
        network.transaction("port/clerk#2", ("registry.add_key", other)),
    )
    assert codes == ["OK", "KEY_REVOKED", "OK"]
    assert network.head.time_ms == TIME_MS + 1


def test_blocks_of_two_nodes_agree(network):
    """Another process, which loads the contracts anew for each block, comes to the same headers and receipts."""
    other = Network()
    admission = {"organisation": "yard", "title": "Yard", "admin": "admin", "suite": SUITE, "public_key": key("yard/admin")}
    blocks = [
        [network.transaction("carrier/admin", ("governance.propose_admission", admission))],
        [vote(network, "bank/admin", 1), network.transaction("yard/admin", ("lifecycle.submit", {"source": COUNTER}))],
    ]
    for transactions in blocks:
        other.runner = BlockRunner()
        assert network.block(*transactions) == other.block(*transactions)
