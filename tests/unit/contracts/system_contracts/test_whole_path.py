"""From the genesis over signed transactions in sealed envelopes to headers: the system contracts under `apply_block`."""

from collections.abc import Collection, Sequence

import pytest

from tests.unit.contracts.system_contracts.consortium import GAS_LIMIT, SM2, SUITE, TIME_MS, founder, key, make_genesis, private_key
from tests.unit.contracts.system_contracts.test_lifecycle import COUNTER
from yunhe.contracts.loader import source_hash
from yunhe.contracts.runner import BlockRunner
from yunhe.contracts.system_contracts import genesis_writes
from yunhe.crypto import SHA256, SM3, ChainHash
from yunhe.errors import NotPermittedError, UnknownSuiteError
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

    def __init__(self, records: dict[bytes, bytes], chain_hash: ChainHash) -> None:
        super().__init__(records)
        self.hash = chain_hash
        self.ids: set[bytes] = set()

    def stage(self, height: int, writes: Sequence[Write]) -> bytes:
        self.apply(writes)
        return state_root(self.records(), self.hash)

    def seen(self, ids: Collection[bytes]) -> set[bytes]:
        return self.ids & set(ids)


class Network:
    """A ledger whose transactions are signed and verified."""

    def __init__(self, suite: str = SUITE, chain_hash: ChainHash = SHA256) -> None:
        self.suite, self.hash = suite, chain_hash
        genesis = make_genesis(certifiers=("bank", "carrier"), suite=suite, chain_hash=chain_hash)
        self.state = Head(dict(genesis_writes(genesis)), chain_hash)
        self.head = genesis.header(state_root(self.state.records(), chain_hash))
        self.runner = BlockRunner(chain_hash)
        self.salt = 0

    def key(self, owner: str) -> bytes:
        return key(owner, self.suite)

    def transaction(self, owner: str, *calls: tuple[str, dict], suite: str = "") -> Transaction:
        self.salt += 1
        organisation, member = owner.partition("#")[0].split("/")
        signing = private_key(owner, suite or self.suite)
        signer = Signer(organisation, member, signing.suite, signing.public_key.raw)
        named = tuple(Call(*name.split("."), arguments) for name, arguments in calls)
        valid_until_ms = self.head.time_ms + 60_000
        body = TransactionBody(self.head.network_id, (signer,), named, valid_until_ms, GAS_LIMIT, self.salt.to_bytes(16, "big"))
        return sign_transaction(body, [signing], self.hash)

    def opened(self, node: NodeIdentity, *transactions: Transaction) -> OpenedEnvelope:
        encoded = [transaction.encoded for transaction in transactions]
        sealing = private_key(f"{node.organisation}/{node.node}", node.suite)
        return open_envelope(seal_envelope(self.head.network_id, node, 1, encoded, sealing, self.hash).encoded, self.hash)

    def transition(self, *transactions: Transaction, organisation: str = "carrier") -> Transition:
        envelope = self.opened(founder(organisation, self.suite).nodes[0], *transactions)
        engine_block = EngineBlock(self.head.height + 1, self.head.time_ms + 1, (envelope,))
        return apply_block(self.head, engine_block, self.state, self.runner, self.hash)

    def block(self, *transactions: Transaction) -> LedgerBlock:
        block = self.transition(*transactions).block
        assert block is not None
        self.state.ids |= {transaction.id for transaction in transactions}
        self.head = block.header
        return block

    def codes(self, *transactions: Transaction) -> list[str]:
        return [receipt.outcome.code for receipt in self.block(*transactions).receipts]


FLAVOURS = {
    "Ed25519 and SHA-256": (SUITE, SHA256),
    "SM2 and SHA-256": (SM2, SHA256),
    "SM2 and SM3": (SM2, SM3),
}


@pytest.fixture(params=FLAVOURS)
def network(request) -> Network:
    return Network(*FLAVOURS[request.param])


def vote(network: Network, owner: str, number: int) -> Transaction:
    return network.transaction(owner, ("governance.vote", {"proposal_id": number, "approve": True}))


def test_contract_goes_from_source_to_receipt(network):
    """SYS-020, SYS-021: submitted and proposed in one transaction, voted on and used in the next block."""
    submitted = network.transaction(
        "carrier/admin",
        ("lifecycle.submit", {"source": COUNTER}),
        ("governance.propose_deployment", {"contract": "counter", "code_hash": source_hash(COUNTER, network.hash)}),
    )
    receipt = network.block(submitted).receipts[0]
    assert receipt.outcome.results == (source_hash(COUNTER, network.hash), 1)
    assert network.codes(vote(network, "bank/admin", 1), network.transaction("port/clerk", ("counter.add", {}))) == ["OK", "OK"]
    assert network.head.state_root == state_root(network.state.records(), network.hash)
    assert network.head.height == 2


def test_certifier_changed_by_vote_is_in_the_next_header(network):
    """SYS-014, LED-041"""
    founders = network.head.next_certifiers
    removal = ("governance.propose_certifier_removal", {"organisation": "bank"})
    network.block(network.transaction("carrier/admin", removal))
    assert network.head.next_certifiers == founders
    network.block(vote(network, "port/admin", 1))
    assert network.head.next_certifiers == read_certifiers(network.state).hash(network.hash) != founders


def test_parameter_changed_by_vote_holds_from_the_next_block(network):
    """SYS-013, CON-141: the window is shortened; what was signed for longer has no effect any more."""
    change = {"name": "validity_window_ms", "value": 10_000}
    network.block(network.transaction("carrier/admin", ("governance.propose_parameter", change)))
    node = {"node": "spare", "suite": network.suite, "public_key": network.key("spare")}
    long = [network.transaction("port/admin", ("registry.enrol_node", node | {"node": name})) for name in ("one", "two")]
    assert network.codes(vote(network, "bank/admin", 1), long[0]) == ["OK", "OK"]
    transition = network.transition(long[1])
    assert transition.block is None
    assert [dropped.transaction_id for dropped in transition.dropped] == [long[1].id]


def test_node_of_a_suspended_organisation_is_not_heard(network):
    """SYS-001, COD-041"""
    network.block(network.transaction("carrier/admin", ("governance.propose_suspension", {"organisation": "port"})))
    heard = network.transaction(
        "bank/clerk", ("registry.add_key", {"member": "clerk", "suite": network.suite, "public_key": network.key("x")})
    )
    network.block(vote(network, "bank/admin", 1))
    transition = network.transition(heard, organisation="port")
    assert transition.block is None
    assert isinstance(transition.dropped[0].error, NotPermittedError)
    assert network.transition(heard, organisation="bank").block is not None


def test_key_rotated_in_a_block_changes_who_signs_in_the_same_block(network):
    """SYS-003, SYS-004, LED-020, LED-023: one after the other, and each has its receipt."""
    rotation = {
        "member": "clerk",
        "old_public_key": network.key("port/clerk"),
        "suite": network.suite,
        "public_key": network.key("port/clerk#2"),
    }
    other = {"member": "clerk", "suite": network.suite, "public_key": network.key("port/clerk#3")}
    codes = network.codes(
        network.transaction("port/clerk", ("registry.rotate_key", rotation)),
        network.transaction("port/clerk", ("registry.add_key", other)),
        network.transaction("port/clerk#2", ("registry.add_key", other)),
    )
    assert codes == ["OK", "KEY_REVOKED", "OK"]
    assert network.head.time_ms == TIME_MS + 1


def test_blocks_of_two_nodes_agree(network):
    """Another process, which loads the contracts anew for each block, comes to the same headers and receipts."""
    other = Network(network.suite, network.hash)
    admission = {"organisation": "yard", "title": "Yard", "admin": "admin", "suite": network.suite, "public_key": network.key("yard/admin")}
    blocks = [
        [network.transaction("carrier/admin", ("governance.propose_admission", admission))],
        [vote(network, "bank/admin", 1), network.transaction("yard/admin", ("lifecycle.submit", {"source": COUNTER}))],
    ]
    for transactions in blocks:
        other.runner = BlockRunner(network.hash)
        assert network.block(*transactions) == other.block(*transactions)


def test_suite_added_by_vote_counts_on_the_running_chain():
    """SYS-013, LED-010, COD-022: before the vote nothing signed with SM2 has an effect; after it either suite has, in one block."""
    network = Network()
    public = key("bank/clerk#2", SM2)
    added = ("registry.add_key", {"member": "clerk", "suite": SM2, "public_key": public})
    early = network.transaction(
        "bank/clerk#2", ("registry.add_key", {"member": "clerk", "suite": SUITE, "public_key": key("x")}), suite=SM2
    )
    transition = network.transition(early)
    assert transition.block is None
    assert isinstance(transition.dropped[0].error, UnknownSuiteError)
    codes = network.codes(
        network.transaction("carrier/admin", ("governance.propose_suite", {"suite": SM2})), network.transaction("bank/clerk", added)
    )
    assert codes == ["OK", "SUITE_NOT_ALLOWED"]
    # The transactions of a block were let in by the suites at its beginning.
    assert network.codes(vote(network, "bank/admin", 1), network.transaction("bank/clerk", added)) == ["OK", "OK"]
    assert network.codes(early, network.transaction("port/clerk", ("lifecycle.submit", {"source": COUNTER}))) == ["OK", "OK"]


def test_certifier_goes_over_to_the_other_suite_by_vote():
    """SYS-014, LED-041, PRF-003"""
    network = Network()
    network.block(network.transaction("carrier/admin", ("governance.propose_suite", {"suite": SM2})))
    network.block(vote(network, "bank/admin", 1))
    arguments = {"organisation": "bank", "suite": SM2, "public_key": key("bank/ledger", SM2), "power": 1}
    network.block(network.transaction("carrier/admin", ("governance.propose_certifier", arguments)))
    network.block(vote(network, "bank/admin", 2))
    members = read_certifiers(network.state).members
    assert [(member.organisation, member.suite) for member in members] == [("bank", SM2), ("carrier", SUITE)]
    assert network.head.next_certifiers == read_certifiers(network.state).hash(SHA256)
