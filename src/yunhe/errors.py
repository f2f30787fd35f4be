"""All errors that a public call of Yunhe raises.

One root, eight kinds below it, one leaf for each rule. A leaf has a stable `code`, typed attributes and one message that says what to
do; the message holds no key, secret or personal data. The HTTP status follows from the kind. Codes never change their meaning; the
reference page `docs/reference/errors.md` is generated from this module.

A refusal by a contract is not an exception here: it is a receipt with the contract's own code.
"""

from typing import ClassVar


class YunheError(Exception):
    """Root of all errors."""

    code: ClassVar[str] = "INTERNAL"
    """Stable identifier, upper case with underscores."""
    status: ClassVar[int] = 500
    """HTTP status of the kind."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInputError(YunheError):
    """The input can never be accepted as it is."""

    code = "INVALID_INPUT"
    status = 400


class NotFoundError(YunheError):
    """What was asked for is not there."""

    code = "NOT_FOUND"
    status = 404


class NotPermittedError(YunheError):
    """The caller may not do this."""

    code = "NOT_PERMITTED"
    status = 403


class ConflictError(YunheError):
    """The input contradicts what is already there."""

    code = "CONFLICT"
    status = 409


class OverloadedError(YunheError):
    """The node has too much to do; the message says when to try again."""

    code = "OVERLOADED"
    status = 503


class UnavailableError(YunheError):
    """A part that is needed does not answer."""

    code = "UNAVAILABLE"
    status = 503


class ConfigurationError(YunheError):
    """The node or client is set up wrongly."""

    code = "CONFIGURATION"
    status = 500


class CorruptionError(YunheError):
    """Stored data is not what was written. The node stops."""

    code = "CORRUPTION"
    status = 500


# --- Encoding (docs/spec/encoding.md) -------------------------------------------------------------------------------


class EncodingError(InvalidInputError):
    """Bytes are not canonical CBOR as COD-001 to COD-004 require."""

    code = "NOT_CANONICAL"


class MalformedError(InvalidInputError):
    """A decoded value does not have the shape of its type."""

    code = "MALFORMED"


class TooLargeError(InvalidInputError):
    """An input is over a named limit."""

    code = "TOO_LARGE"
    status = 413


class ValueNotEncodableError(InvalidInputError):
    """A Python value has no canonical encoding (a float, an integer out of range, an unknown type)."""

    code = "NOT_ENCODABLE"


# --- Cryptography ---------------------------------------------------------------------------------------------------


class InvalidSignatureError(InvalidInputError):
    """A signature does not verify."""

    code = "SIGNATURE_INVALID"


class UnknownSuiteError(InvalidInputError):
    """A signature suite is unknown, or not allowed on this ledger."""

    code = "SUITE_UNKNOWN"


class InvalidKeyError(InvalidInputError):
    """Key bytes or a key file cannot be used."""

    code = "KEY_INVALID"


class WrongPassphraseError(InvalidInputError):
    """A key file's passphrase is wrong."""

    code = "PASSPHRASE_WRONG"


# --- Transactions at the gateway ------------------------------------------------------------------------------------


class WrongNetworkError(InvalidInputError):
    """A transaction, envelope or bundle belongs to another network."""

    code = "WRONG_NETWORK"


class ExpiredError(InvalidInputError):
    """A transaction's `valid_until_ms` has passed."""

    code = "EXPIRED"


class ValidityTooFarError(InvalidInputError):
    """A transaction's `valid_until_ms` is further ahead than the validity window."""

    code = "VALIDITY_TOO_FAR"


class AlreadyUsedError(ConflictError):
    """A transaction with this id already took effect; its first receipt stands."""

    code = "ALREADY_USED"


class NotEnrolledError(NotPermittedError):
    """A signer is not a member of an enrolled organisation."""

    code = "NOT_ENROLLED"


class OrganisationSuspendedError(NotPermittedError):
    """A signer's organisation is suspended."""

    code = "ORGANISATION_SUSPENDED"


class MemberSuspendedError(NotPermittedError):
    """A signer's membership is suspended."""

    code = "MEMBER_SUSPENDED"


class KeyRevokedError(NotPermittedError):
    """A signer's key is not, or no longer, one of the member's active keys."""

    code = "KEY_REVOKED"


class GasLimitTooHighError(InvalidInputError):
    """A transaction's gas limit is above the parameter `gas_limit_max`."""

    code = "GAS_LIMIT_TOO_HIGH"


# --- Genesis, proofs, checkpoints -----------------------------------------------------------------------------------


class InvalidGenesisError(ConfigurationError):
    """The genesis file is not one, or names what this version does not know."""

    code = "GENESIS_INVALID"


class ProofError(InvalidInputError):
    """A proof bundle does not verify; the message names the rule."""

    code = "PROOF_INVALID"


class HistoryGoneError(NotFoundError):
    """A height is outside the state history that this node keeps."""

    code = "HISTORY_GONE"
    status = 410


class CosignatureRefusedError(ConflictError):
    """The cosigner was asked to sign a tree that is smaller than, or inconsistent with, one that it signed before (LED-042)."""

    code = "COSIGNATURE_REFUSED"
