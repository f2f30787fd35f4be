"""Enrolment: whether the signers of a transaction may sign, by the state at hand (LED-020).

Asked twice: by the gateway, so that a refusal is immediate, and again when the transaction's turn comes, because a key can be revoked in
between. It reads records; it verifies no signature.
"""

from dataclasses import dataclass

from yunhe.errors import (
    KeyRevokedError,
    MemberSuspendedError,
    NotEnrolledError,
    NotPermittedError,
    OrganisationSuspendedError,
    WrongNetworkError,
)
from yunhe.ledger.envelope import Envelope, NodeIdentity
from yunhe.ledger.interfaces import StateReader
from yunhe.ledger.layouts import ACTIVE, member_key, member_public_key_key, node_key, organisation_key, read_record
from yunhe.ledger.transaction import Signer


@dataclass(frozen=True, slots=True)
class EnrolledSigner:
    """A signer as the registry knows it."""

    organisation: str
    member: str
    roles: tuple[str, ...]
    """Roles of the member in its organisation."""


def authorise(state: StateReader, signers: tuple[Signer, ...]) -> tuple[EnrolledSigner, ...]:
    """Check all signers of a transaction, in order.

    Raises:
        NotEnrolledError: an organisation or member is not enrolled.
        OrganisationSuspendedError: an organisation is suspended.
        MemberSuspendedError: a member is suspended.
        KeyRevokedError: a key is not one of the member's active keys.
    """
    return tuple(_authorise_signer(state, signer) for signer in signers)


def _authorise_signer(state: StateReader, signer: Signer) -> EnrolledSigner:
    # LED-020
    organisation = read_record(state, organisation_key(signer.organisation))
    if organisation is None:
        raise NotEnrolledError(f"the organisation {signer.organisation} is not enrolled; its admission is proposed and voted on")
    if organisation["status"] != ACTIVE:
        raise OrganisationSuspendedError(f"the organisation {signer.organisation} is suspended")
    member = read_record(state, member_key(signer.organisation, signer.member))
    if member is None:
        raise NotEnrolledError(f"the member {signer.name} is not enrolled; an admin of {signer.organisation} can enrol it")
    if member["status"] != ACTIVE:
        raise MemberSuspendedError(f"the member {signer.name} is suspended")
    key = read_record(state, member_public_key_key(signer.organisation, signer.member, signer.public_key))
    if key is None or key["status"] != ACTIVE or key["suite"] != signer.suite:
        raise KeyRevokedError(f"the key is not, or no longer, an active key of {signer.name}")
    roles = member["roles"]
    return EnrolledSigner(signer.organisation, signer.member, tuple(str(role) for role in roles) if isinstance(roles, list) else ())


def authorise_envelope(state: StateReader, network_id: bytes, envelope: Envelope) -> None:
    """Check what is known of an envelope before any signature is verified: that it is for this network, and whose it is.

    Raises:
        WrongNetworkError: it is for another network.
        NotPermittedError: its node is not enrolled, suspended, or uses another key.
    """
    # COD-041
    if envelope.network_id != network_id:
        raise WrongNetworkError(f"the envelope of {envelope.node.name} is for the network {envelope.network_id.hex()}")
    authorise_node(state, envelope.node)


def authorise_node(state: StateReader, node: NodeIdentity) -> None:
    """Check that a node may send envelopes (COD-041).

    Raises:
        NotPermittedError: it is not enrolled, suspended, or uses another key.
    """
    # COD-041
    organisation = read_record(state, organisation_key(node.organisation))
    record = read_record(state, node_key(node.organisation, node.node))
    if (
        organisation is None
        or organisation["status"] != ACTIVE
        or record is None
        or record["status"] != ACTIVE
        or record["public_key"] != node.public_key
        or record["suite"] != node.suite
    ):
        raise NotPermittedError(f"the node {node.name} with this key is not enrolled and active")
