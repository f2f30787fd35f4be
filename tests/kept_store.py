"""A small store of this format version, kept as files so that a later version of Yunhe meets a store that it did not write itself.

`tests/fixtures/store-v<version>` holds the genesis, the data folder without its derived state, a proof bundle, and what must be found in
them. The tests open, check and prove from a copy. Everything in it follows from fixed keys and times, so making it again gives the same
bytes, until the format changes. Then its version (`yunhe.storage.data_folder.FORMAT_VERSION`) grows, a new folder is made with

    python -m tests.kept_store

and the old one stays: the tests show that it is refused by name, or migrated.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.storage.state_on_file import FileStateStore
from tests.unit.storage.stored_chain import (
    COUNT,
    GENESIS,
    NEXT_LEDGER,
    NODE,
    TIME_MS,
    add_block,
    add_certifier_change,
    genesis_writes,
)
from yunhe.crypto import PrivateKey
from yunhe.ledger.genesis import Genesis
from yunhe.node.certification import Certification, ProofSubjectRequest
from yunhe.node.cosigner import Cosigner
from yunhe.storage import Certificates, CosignerMemory, DataFolder, LedgerStore
from yunhe.storage.data_folder import FORMAT_VERSION

SEGMENT_BYTES = 3000
"""Small enough for several segments."""
PROVED = ProofSubjectRequest.of_record("bill", "count", ("all",))


@dataclass(frozen=True)
class KeptStore:
    """Where the parts of a kept store are."""

    path: Path

    @property
    def store(self) -> Path:
        """The data folder, without derived state."""
        return self.path / "store"

    @property
    def genesis(self) -> Genesis:
        """The network's genesis."""
        return Genesis.from_json((self.path / "genesis.json").read_bytes())

    @property
    def proof(self) -> bytes:
        """Bundle that proves the record `PROVED` at the head, across a change of certifiers."""
        return (self.path / "proof.yunhe").read_bytes()

    @property
    def expected(self) -> dict[str, Any]:
        """What the store holds, as text and numbers."""
        return dict(json.loads((self.path / "expected.json").read_text()))


KEPT = KeptStore(Path(__file__).parent / "fixtures" / f"store-v{FORMAT_VERSION}")
"""The kept store of this version."""


def certification(store: LedgerStore, folder: DataFolder, key: PrivateKey) -> Certification:
    """Certification by the organisation's ledger key, at a fixed time."""
    network_id = GENESIS.network_id
    cosigner = Cosigner("carrier", key, CosignerMemory.open(folder.cosigner, network_id), lambda: TIME_MS)
    return Certification(store, GENESIS, cosigner, Certificates(folder.certificates, network_id, store.log, store.header))


def fill(path: Path) -> bytes:
    """Make the store and return the proof: five blocks and an empty engine block, with a change of certifiers."""
    LedgerStore.create(path, GENESIS, genesis_writes(), FileStateStore.open).close()
    folder = DataFolder(path)
    with LedgerStore.open(path, GENESIS, opener=FileStateStore.open, segment_bytes_max=SEGMENT_BYTES) as store:
        add_block(store, 1, 2)
        add_block(store, 3, 4, 5)
        store.commit(None, store.engine_height + 1)
        certification(store, folder, NODE).committed(add_certifier_change(store, 6))
        add_block(store, 7)
        return certification(store, folder, NEXT_LEDGER).prove([PROVED], None)


def describe(path: Path) -> dict[str, Any]:
    """Say what a store holds."""
    with LedgerStore.open(path, GENESIS, opener=FileStateStore.open) as store:
        count = store.get(COUNT)
        assert count is not None
        return {
            "network_id": GENESIS.network_id.hex(),
            "height": store.head().height,
            "engine_height": store.engine_height,
            "header_hash": store.head().hash(GENESIS.chain_hash).hex(),
            "log_root": store.log_root().hex(),
            "state_root": store.head().state_root.hex(),
            "transactions": sum(len(store.record(height).transactions) for height in range(store.head().height + 1)),
            "count_record": count.hex(),
        }


def make(target: Path) -> KeptStore:
    """Make a kept store in a folder that does not exist yet."""
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "store"
        proof = fill(made)
        expected = describe(made)
        shutil.copytree(made, target / "store", ignore=shutil.ignore_patterns("state", "LOCK"))
    (target / "genesis.json").write_text(GENESIS.to_json(), encoding="utf-8")
    (target / "proof.yunhe").write_bytes(proof)
    (target / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", encoding="utf-8")
    return KeptStore(target)


if __name__ == "__main__":
    print(f"made {make(KEPT.path).path}")
