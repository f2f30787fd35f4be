"""Proofs for applications: what to ask a node to prove, and how to verify what it sends.

Verification is that of `yunhe.verifier`, which anyone can run without this package.
"""

from collections.abc import Sequence
from typing import Any

from yunhe import verifier
from yunhe.errors import ProofError


def prove_transaction(transaction_id: bytes) -> dict[str, Any]:
    """Name a transaction as the subject of a proof."""
    return {"kind": "transaction", "transaction_id": transaction_id.hex()}


def prove_receipt(transaction_id: bytes) -> dict[str, Any]:
    """Name a receipt as the subject of a proof."""
    return {"kind": "receipt", "transaction_id": transaction_id.hex()}


def prove_record(contract: str, table: str, key: Sequence[str | int | bytes]) -> dict[str, Any]:
    """Name a record, or its absence, as the subject of a proof."""
    components = ["0x" + component.hex() if isinstance(component, bytes) else component for component in key]
    return {"kind": "record", "contract": contract, "table": table, "key": components}


def verify_proof(bundle: bytes, genesis: bytes, trust: str | None = None) -> verifier.VerifiedProof:
    """Verify a proof bundle against a genesis file, or a trusted checkpoint of it.

    Raises:
        ProofError: it does not verify; the message names the rule.
    """
    try:
        return verifier.verify(bundle, genesis, trust=trust)
    except verifier.VerificationError as error:
        raise ProofError(str(error)) from error


def verify_document(proof: verifier.VerifiedProof, document: bytes) -> int:
    """Return the position of the verified subject that holds the checksum of a document.

    Raises:
        ProofError: none does, or the document is not JSON in the sense of RFC 8785.
    """
    try:
        return verifier.check_document(proof, document)
    except verifier.VerificationError as error:
        raise ProofError(str(error)) from error
