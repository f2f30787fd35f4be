"""Validators: whose engines vote on the order of blocks, and with what power (LED-004, SYS-031)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Validator:
    """An organisation whose engine votes on the order of blocks."""

    organisation: str
    public_key: bytes
    """Of its engine's validator key: Ed25519, whatever the ledger's suites are; 32 bytes."""
    power: int
    """Its votes; the power of the organisation as certifier."""
