"""For applications: keys, transactions, queries and proofs over a node's HTTP API.

Runs without the native core. What is exported here is public; the rest is not.
"""

from yunhe.crypto import sm2_signature_from_der, sm2_signature_to_der
from yunhe.errors import TransactionRefusedError, ViewRefusedError, YunheError
from yunhe.ledger.transaction import Call, Transaction
from yunhe.sdk.answers import Submitted
from yunhe.sdk.client import Client
from yunhe.sdk.key_files import KeyFile, Member, MemberKey, Wallet, create_key_file, read_key_file
from yunhe.sdk.proofs import prove_receipt, prove_record, prove_transaction, verify_document, verify_proof
from yunhe.sdk.tls import trusting
from yunhe.sdk.webhooks import verify_webhook, webhook_signature

__all__ = [
    "Call",
    "Client",
    "KeyFile",
    "Member",
    "MemberKey",
    "Submitted",
    "Transaction",
    "TransactionRefusedError",
    "ViewRefusedError",
    "Wallet",
    "YunheError",
    "create_key_file",
    "prove_receipt",
    "prove_record",
    "prove_transaction",
    "read_key_file",
    "sm2_signature_from_der",
    "sm2_signature_to_der",
    "trusting",
    "verify_document",
    "verify_proof",
    "verify_webhook",
    "webhook_signature",
]
