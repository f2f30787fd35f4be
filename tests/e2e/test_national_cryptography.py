"""From Ed25519 to SM2 on a running chain, by vote; and proofs of SM2 and SM3 for a stranger."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.node_process import FLAVOURS, PASSPHRASE, NodeProcess, yunhe, yunhe_json
from yunhe import verifier
from yunhe.errors import UnknownSuiteError
from yunhe.sdk import Call, Member, create_key_file, prove_receipt, prove_record, prove_transaction

COUNTERS = (Path(__file__).parent / "counters.py").read_text()
SM2 = "sm2-sm3"
ADD = Call("counters", "add", {"name": "a", "amount": 1})


def verified(node: NodeProcess, bundle: bytes, tmp_path: Path) -> dict[str, object]:
    """Verify a bundle as a stranger does: with the one file, in a fresh interpreter without anything installed."""
    (tmp_path / "proof.yunhe").write_bytes(bundle)
    arguments = [str(tmp_path / "proof.yunhe"), "--genesis", str(node.folder / "genesis.json"), "--json"]
    done = subprocess.run([sys.executable, "-I", "-S", verifier.__file__, *arguments], capture_output=True, check=False)
    return {"code": done.returncode, "output": done.stdout.decode()}


# COD-022, PRF-003, PRF-015, PRF-017
@pytest.mark.parametrize("own_node", FLAVOURS, indirect=True)
def test_proof_of_a_transaction_receipt_and_record_is_verified_by_a_stranger(own_node, tmp_path):
    own_node.deploy("counters", COUNTERS)
    assert yunhe_json("key", "show", str(own_node.founder_file.path))["suite"] == own_node.suite
    with own_node.client() as client:
        submitted = client.call(own_node.founder, "counters", "add", name="a", amount=3)
        subjects = [
            prove_transaction(submitted.transaction_id),
            prove_receipt(submitted.transaction_id),
            prove_record("counters", "counters", ["a"]),
            prove_record("counters", "counters", ["b"]),
        ]
        bundle = client.prove(subjects)
    own_node.stop()
    done = verified(own_node, bundle, tmp_path)
    assert done["code"] == 0, done
    assert f'"hash_name": "{own_node.hash_name}"' in str(done["output"])
    for position in range(0, len(bundle), len(bundle) // 20):
        altered = bytearray(bundle)
        altered[position] ^= 1
        with pytest.raises(verifier.VerificationError):
            verifier.verify(bytes(altered), (own_node.folder / "genesis.json").read_bytes())
    report = yunhe_json("node", "check", str(own_node.folder), "--replay")
    assert report["height"] == submitted.height


# SYS-013, LED-010
def test_vote_adds_sm2_to_a_running_chain_beside_what_it_has(own_node, tmp_path):
    folder = ("--folder", str(own_node.folder))
    signed = ("--key", str(own_node.founder_file.path), *folder)
    own_node.deploy("counters", COUNTERS)
    clerk_file = create_key_file(tmp_path / "clerk.pem", Member("port", "clerk"), PASSPHRASE, SM2)
    clerk = clerk_file.open(PASSPHRASE)
    with own_node.client() as client, pytest.raises(UnknownSuiteError):
        client.call(clerk, "counters", "add", name="a", amount=1)
    refused = yunhe("--json", "org", "enrol", str(clerk_file.path), *signed)
    assert "SUITE_NOT_ALLOWED" in refused.stderr
    # One organisation is the majority of one, so its proposal is its decision.
    assert yunhe_json("org", "suite", SM2, *signed)["status"] == "accepted"
    assert yunhe_json("org", "enrol", str(clerk_file.path), *signed)["code"] == "OK"
    with own_node.client() as client:
        assert client.record("governance", "suites", [SM2])["fields"]["suite"] == SM2
        # Both suites in one transaction, and in one batch.
        both = client.build([clerk, own_node.founder], [ADD])
        results = client.submit_batch([both, client.build([own_node.founder], [ADD]), client.build([clerk], [ADD])])
        assert [result.code for result in results] == ["OK"] * 3
        bundle = client.prove([prove_transaction(both.id), prove_record("counters", "counters", ["a"])])
    done = verified(own_node, bundle, tmp_path)
    assert done["code"] == 0, done
    assert '"suite": "sm2-sm3"' in str(done["output"])
    assert '"suite": "ed25519-sha256"' in str(done["output"])
    own_node.stop()
    assert yunhe_json("node", "check", str(own_node.folder), "--replay")["height"] > 0
    own_node.start()
    with own_node.client() as client:
        assert client.call(clerk, "counters", "add", name="a", amount=1).results == [4]


# SYS-014, LED-041, PRF-003, PRF-012
def test_node_goes_over_to_sm2_and_its_proofs_lead_over_the_change(own_node, tmp_path):
    signed = ("--key", str(own_node.founder_file.path), "--folder", str(own_node.folder))
    own_node.deploy("counters", COUNTERS)
    assert yunhe_json("org", "suite", SM2, *signed)["status"] == "accepted"
    passphrase = ("--passphrase-file", str(own_node.folder / "secrets" / "passphrase"))
    fresh = {name: tmp_path / f"{name}.pem" for name in ("node", "ledger")}
    made = {name: yunhe_json("key", "new", f"port/{name}", str(path), "--suite", SM2, *passphrase) for name, path in fresh.items()}
    with own_node.client() as client:
        before = client.prove([prove_record("governance", "suites", [SM2])])
    assert yunhe_json("org", "certifier", "port", str(fresh["ledger"]), *signed)["status"] == "accepted"
    assert yunhe_json("org", "node", "port/node1", str(fresh["node"]), *signed)["code"] == "OK"
    own_node.stop()
    for name, path in fresh.items():
        (own_node.folder / "keys" / f"{name}.pem").write_bytes(path.read_bytes())
    own_node.start()
    with own_node.client() as client:
        submitted = client.submit(client.build([own_node.founder], [ADD]))
        after = client.prove([prove_receipt(submitted.transaction_id)])
    genesis = (own_node.folder / "genesis.json").read_bytes()
    assert len(verifier.verify(before, genesis).certificates) == 1
    proof = verifier.verify(after, genesis)
    assert [certificate.organisations for certificate in proof.certificates] == [("port",), ("port",)]
    assert verified(own_node, after, tmp_path)["code"] == 0
    assert bytes.fromhex(made["ledger"]["public_key"]) in after
