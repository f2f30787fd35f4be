"""All errors that a public call of Yunhe raises.

One root, eight kinds below it (`yunhe.errors.kinds`), one leaf for each rule. A leaf has a stable `code`, typed attributes and one message
that says what to do; the message holds no key, secret or personal data. The HTTP status follows from the kind. Codes never change their
meaning; the reference page `docs/reference/errors.md` is generated from this package.

A refusal by a contract is not an exception here: it is a receipt with the contract's own code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from yunhe.errors.kinds import ConfigurationError as ConfigurationError
from yunhe.errors.kinds import ConflictError as ConflictError
from yunhe.errors.kinds import CorruptionError as CorruptionError
from yunhe.errors.kinds import InvalidInputError as InvalidInputError
from yunhe.errors.kinds import NotFoundError as NotFoundError
from yunhe.errors.kinds import NotPermittedError as NotPermittedError
from yunhe.errors.kinds import OverloadedError as OverloadedError
from yunhe.errors.kinds import QuotaExceededError as QuotaExceededError
from yunhe.errors.kinds import UnavailableError as UnavailableError
from yunhe.errors.kinds import YunheError as YunheError
from yunhe.errors.network import BlockStuckError as BlockStuckError
from yunhe.errors.network import EngineFailedError as EngineFailedError
from yunhe.errors.network import EngineFilesError as EngineFilesError
from yunhe.errors.network import EngineMessageError as EngineMessageError
from yunhe.errors.network import EngineMissingError as EngineMissingError
from yunhe.errors.network import EngineOrderError as EngineOrderError
from yunhe.errors.network import EngineOtherNetworkError as EngineOtherNetworkError
from yunhe.errors.network import EngineUnreachableError as EngineUnreachableError
from yunhe.errors.network import EngineVersionError as EngineVersionError
from yunhe.errors.network import InvitationExpiredError as InvitationExpiredError
from yunhe.errors.network import InvitationInvalidError as InvitationInvalidError
from yunhe.errors.network import InvitationOtherError as InvitationOtherError
from yunhe.errors.network import NetworkFolderError as NetworkFolderError
from yunhe.errors.network import NetworkRunningError as NetworkRunningError
from yunhe.errors.network import ProtocolUnknownError as ProtocolUnknownError
from yunhe.errors.network import ProtocolWrongError as ProtocolWrongError
from yunhe.errors.network import SkipOrderInvalidError as SkipOrderInvalidError

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


class BlockPrunedError(NotFoundError):
    """The block's transactions, receipts and writes were pruned here; its header is kept (STO-033)."""

    code = "BLOCK_PRUNED"
    status = 410


class TransactionPrunedError(NotFoundError):
    """The transaction took effect, and its block was pruned here (STO-033)."""

    code = "TRANSACTION_PRUNED"
    status = 410


class CosignatureRefusedError(ConflictError):
    """The cosigner was asked to sign a tree that is smaller than, or inconsistent with, one that it signed before (LED-042)."""

    code = "COSIGNATURE_REFUSED"


# --- Node -----------------------------------------------------------------------------------------------------------


class InvalidConfigurationError(ConfigurationError):
    """A configuration file or setting cannot be used."""

    code = "CONFIGURATION_INVALID"


class FolderNotEmptyError(ConfigurationError):
    """A node is to be made in a folder that holds something already."""

    code = "FOLDER_NOT_EMPTY"


class WrongPythonError(ConfigurationError):
    """The ledger was made for another CPython minor version than the one that runs."""

    code = "PYTHON_WRONG"


class ExtraMissingError(ConfigurationError):
    """A part of Yunhe is used that needs a package which is not installed."""

    code = "EXTRA_MISSING"

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(f"this needs {package}, which is not installed: install it with `pip install 'yunhe[{extra}]'`")
        self.extra = extra
        self.package = package


class PlatformError(ConfigurationError):
    """A node cannot run on this platform, or its native core is not installed."""

    code = "PLATFORM_UNSUPPORTED"


class PortTakenError(ConfigurationError):
    """The address of the HTTP API is in use."""

    code = "PORT_TAKEN"


class NodeStartError(ConfigurationError):
    """A node did not start."""

    code = "NODE_NOT_STARTED"


class NodeHaltedError(UnavailableError):
    """The node stopped deciding because it could not go on safely; its log says why."""

    code = "NODE_HALTED"


class NodeStoppingError(UnavailableError):
    """The node is stopping; what it accepted and had not committed must be submitted again."""

    code = "NODE_STOPPING"


class NotACertifierError(UnavailableError):
    """The node's ledger key is not in the certifier set that counts, so it can certify nothing."""

    code = "NOT_A_CERTIFIER"


class CertificatePendingError(UnavailableError):
    """The others have not cosigned a block yet; they do so when they vote on the next one (CER-003)."""

    code = "CERTIFICATE_PENDING"


class CertificateDamagedError(CorruptionError):
    """A kept certificate of a certifier change is missing or not what was written."""

    code = "CERTIFICATE_DAMAGED"


class ParameterUnknownError(InvalidInputError):
    """A request has a query parameter that its route does not take (API-041)."""

    code = "PARAMETER_UNKNOWN"


class ParameterRepeatedError(InvalidInputError):
    """A request has a query parameter more than once (API-041)."""

    code = "PARAMETER_REPEATED"


class NameRepeatedError(InvalidInputError):
    """An object of a request's JSON has a name twice (API-040)."""

    code = "NAME_REPEATED"


class CursorError(InvalidInputError):
    """A cursor, or an identifier to go on after, is not one of this list (API-006)."""

    code = "CURSOR_INVALID"


class WaitTimeoutError(UnavailableError):
    """A transaction was not committed within the time that the caller would wait; it may still be."""

    code = "WAIT_TIMEOUT"
    status = 504


class DecisionPendingError(UnavailableError):
    """A proposal was not decided within the time that the caller would wait; it stays open, and the message says what is missing."""

    code = "DECISION_PENDING"


class WebhookTargetError(InvalidInputError):
    """The node may not send webhooks to this address."""

    code = "WEBHOOK_TARGET_REFUSED"


class WebhookSignatureError(NotPermittedError):
    """A webhook is not from the node that shares its secret, or not from now."""

    code = "WEBHOOK_SIGNATURE_WRONG"


class WebhooksFullError(ConflictError):
    """The node has as many webhooks as it can have."""

    code = "WEBHOOKS_FULL"


class IdempotencyKeyUsedError(ConflictError):
    """An `Idempotency-Key` was sent before, with another request."""

    code = "IDEMPOTENCY_KEY_USED"


class WebhookNotFoundError(NotFoundError):
    """The node has no webhook with this identifier."""

    code = "WEBHOOK_NOT_FOUND"


class TransactionNotFoundError(NotFoundError):
    """No ledger block has a transaction with this id, and none waits for one."""

    code = "TRANSACTION_NOT_FOUND"


class BlockNotFoundError(NotFoundError):
    """The ledger has no block of this height yet."""

    code = "BLOCK_NOT_FOUND"


class RecordNotFoundError(NotFoundError):
    """A table has no record with this key."""

    code = "RECORD_NOT_FOUND"


class TableNotFoundError(NotFoundError):
    """The ledger has no contract of this name, or the contract declares no such table."""

    code = "TABLE_NOT_FOUND"


class IndexNotFoundError(NotFoundError):
    """A contract declares no index of a table by these fields."""

    code = "INDEX_NOT_FOUND"


# --- Storage (docs/spec/storage.md) -----------------------------------------------------------------------------------


class StoreNotFoundError(NotFoundError):
    """There is no store in the data folder."""

    code = "STORE_NOT_FOUND"


class StoreExistsError(ConflictError):
    """A store is to be created where something is already."""

    code = "STORE_EXISTS"


class StoreFormatError(ConfigurationError):
    """The store was made by a version of Yunhe with another store format, or its `FORMAT` file is unreadable (STO-001)."""

    code = "STORE_FORMAT"


class WrongGenesisError(ConfigurationError):
    """The data folder belongs to the network of another genesis (STO-001)."""

    code = "WRONG_GENESIS"


class FolderInUseError(ConflictError):
    """Another process has the data folder open (STO-002)."""

    code = "FOLDER_IN_USE"


class DiskFullError(UnavailableError):
    """There is no room left to write; the node halts and loses nothing that it acknowledged (STO-009)."""

    code = "DISK_FULL"


class DiskReadOnlyError(UnavailableError):
    """The disk is mounted read-only; the node halts and loses nothing that it acknowledged (STO-009)."""

    code = "DISK_READ_ONLY"


class DiskFailedError(UnavailableError):
    """The operating system refused an operation on a file of the store (STO-009)."""

    code = "DISK_FAILED"


class StoreHaltedError(UnavailableError):
    """An earlier commit failed, so this store takes no more until the node is started again (STO-009)."""

    code = "STORE_HALTED"


class CommitOrderError(ConflictError):
    """What is to be committed does not follow the head, or is not what was staged (STO-012)."""

    code = "COMMIT_ORDER"


class BlockLogShortenedError(CorruptionError):
    """The block log ends before a block that was acknowledged (STO-007)."""

    code = "BLOCK_LOG_SHORTENED"


class BlockLogAlteredError(CorruptionError):
    """The block log is not what was written (STO-005, STO-007)."""

    code = "BLOCK_LOG_ALTERED"


class MarkerDamagedError(CorruptionError):
    """The marker beside the block log is missing or unreadable (STO-006)."""

    code = "MARKER_DAMAGED"


class StateMismatchError(CorruptionError):
    """A block's write set does not lead to the state root in its header (STO-010)."""

    code = "STATE_MISMATCH"


class StateCheckpointDamagedError(CorruptionError):
    """The state that a pruned ledger goes on from is missing, or not what was written (STO-034)."""

    code = "STATE_CHECKPOINT_DAMAGED"


class DerivedStateDamagedError(CorruptionError):
    """The derived state is not what the block log leads to; it can be thrown away and is then rebuilt (STO-011)."""

    code = "DERIVED_STATE_DAMAGED"


class BlockInvalidError(CorruptionError):
    """A stored block breaks a rule of the ledger; the message names it (STO-014)."""

    code = "BLOCK_INVALID"


class ReplayDiffersError(CorruptionError):
    """A transaction of the past was run again and gave another receipt than the ledger has."""

    code = "REPLAY_DIFFERS"


class CosignerMemoryDamagedError(CorruptionError):
    """The cosigner's memory of what it signed is missing or unreadable (STO-015)."""

    code = "COSIGNER_MEMORY_DAMAGED"


class AuditDamagedError(CorruptionError):
    """A line of the audit log is not what was written, or is missing (STO-030)."""

    code = "AUDIT_DAMAGED"


class CosignerBarredError(UnavailableError):
    """The node was restored from a backup, and its ledger key may have cosigned what is not in it, so it cosigns nothing (STO-018)."""

    code = "COSIGNER_BARRED"


class BackupDamagedError(CorruptionError):
    """A backup is cut short, altered, or none of this version (STO-019)."""

    code = "BACKUP_DAMAGED"


class BackupNotFoundError(NotFoundError):
    """There is no backup of this name."""

    code = "BACKUP_NOT_FOUND"


class BackupExistsError(ConflictError):
    """A backup is to be written over a file that is there already."""

    code = "BACKUP_EXISTS"


class BackupNotCompleteError(ConflictError):
    """A ledger is to go on as if nothing had followed its backup, which was made while the node ran (STO-018)."""

    code = "BACKUP_NOT_COMPLETE"


# --- HTTP API (docs/spec/http.md) -----------------------------------------------------------------------------------


class TokenWrongError(NotPermittedError):
    """A request has no API token, or a wrong one."""

    code = "TOKEN_WRONG"
    status = 401


class TokenExpiredError(NotPermittedError):
    """The time of a request's API token is over."""

    code = "TOKEN_EXPIRED"
    status = 401


class TokenRevokedError(NotPermittedError):
    """A request's API token was revoked."""

    code = "TOKEN_REVOKED"
    status = 401


class ScopeMissingError(NotPermittedError):
    """A request's API token does not have the scope that the route needs."""

    code = "SCOPE_MISSING"


class RelayOffError(NotPermittedError):
    """This node takes no transactions without a token; hand it to another organisation's node."""

    code = "RELAY_OFF"


class TokensUnreadableError(ConfigurationError):
    """A node's register of API tokens cannot be read; it accepts its operator's token only."""

    code = "TOKENS_UNREADABLE"
    status = 503


class TokenExistsError(ConflictError):
    """There is or was an API token of this name."""

    code = "TOKEN_EXISTS"


class TokenNotFoundError(NotFoundError):
    """There is no API token of this name."""

    code = "TOKEN_NOT_FOUND"


class TokensFullError(ConflictError):
    """A node has as many API tokens as it keeps."""

    code = "TOKENS_FULL"


class RequestInvalidError(InvalidInputError):
    """A request is no HTTP, or its path, query or body is not of the shape that the route takes."""

    code = "REQUEST_INVALID"


class RequestTooSlowError(InvalidInputError):
    """A request did not arrive whole in time."""

    code = "REQUEST_TOO_SLOW"
    status = 408


class RouteNotFoundError(NotFoundError):
    """The API has no such path."""

    code = "ROUTE_NOT_FOUND"


class MethodNotAllowedError(InvalidInputError):
    """The path does not take this method."""

    code = "METHOD_NOT_ALLOWED"
    status = 405


# --- SDK ------------------------------------------------------------------------------------------------------------


class KeyFileExistsError(ConflictError):
    """A key file is there already; keys are never overwritten."""

    code = "KEY_FILE_EXISTS"


class KeyFileNotFoundError(NotFoundError):
    """There is no key file of this name."""

    code = "KEY_FILE_NOT_FOUND"


class InvalidAddressError(InvalidInputError):
    """What was given as the address of a node is none."""

    code = "ADDRESS_INVALID"


class NodeUnreachableError(UnavailableError):
    """The node does not answer."""

    code = "NODE_UNREACHABLE"


class BadAnswerError(UnavailableError):
    """Something answers that is not a Yunhe node, or one of another version."""

    code = "ANSWER_INVALID"


class RemoteRefusedError(InvalidInputError):
    """The node refused with a code that this client does not know; it may be of a newer version."""

    code = "REFUSED"


class TransactionRefusedError(ConflictError):
    """A transaction has a receipt that is not `OK`: the rules refused it, and it changed nothing."""

    code = "TRANSACTION_REFUSED"

    def __init__(self, contract: str, action: str, receipt_code: str, transaction_id: bytes) -> None:
        super().__init__(f"{contract}.{action} was refused with {receipt_code}; the receipt is that of transaction {transaction_id.hex()}")
        self.contract = contract
        self.receipt_code = receipt_code
        self.transaction_id = transaction_id


# --- Command line ---------------------------------------------------------------------------------------------------


class UsageError(InvalidInputError):
    """A command lacks something that it needs."""

    code = "USAGE"


class FolderExistsError(ConflictError):
    """A folder is to be made where something is already."""

    code = "FOLDER_EXISTS"


class ContractNameError(InvalidInputError):
    """A contract cannot be made under this name, because the ledger or Python would refuse it."""

    code = "CONTRACT_NAME_INVALID"


class UpgradeIncompatibleError(ConflictError):
    """A new source could not read what a contract stored, or would migrate a second time; the message names table and field."""

    code = "UPGRADE_INCOMPATIBLE"


class ScenarioInvalidError(InvalidInputError):
    """A file is no scenario: it cannot be read or imported, or has no function `scenario(chain)`."""

    code = "SCENARIO_INVALID"


class ScenarioFailedError(ConflictError):
    """A scenario did not go as it expects: an assertion failed, or a call was refused that should succeed."""

    code = "SCENARIO_FAILED"


class StatefulTestInvalidError(InvalidInputError):
    """Random calls were asked for where nobody calls, or where a contract has nothing to call."""

    code = "STATEFUL_TEST_INVALID"


class ContractTestsFailedError(ConflictError):
    """Tests of a contract failed, or there are none."""

    code = "TESTS_FAILED"


class PytestMissingError(ConfigurationError):
    """Tests need what `pip install 'yunhe[testing]'` installs."""

    code = "PYTEST_MISSING"


class NodeNotRunningError(UnavailableError):
    """No node runs in this folder."""

    code = "NODE_NOT_RUNNING"


# --- Contracts ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in a contract's source that the subset does not allow."""

    rule: str
    """Identifier in docs/spec/contracts.md, "The subset"."""
    line: int
    """Counted from 1; 0 when it is about the whole source."""
    column: int
    """Character of the line, counted from 1; 0 when it is about a whole line."""
    reason: str
    """What is wrong."""
    instead: str
    """What to write instead."""

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.reason} ({self.rule}); {self.instead}"


class ContractRefusedError(InvalidInputError):
    """A contract's source is outside the subset (CON-001 to CON-062); every finding has line, reason and what to write instead."""

    code = "CONTRACT_REFUSED"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        more = f" (and {len(self.findings) - 1} more)" if len(self.findings) > 1 else ""
        super().__init__(f"{self.findings[0]}{more}")


class ViewRefusedError(ConflictError):
    """A view was not answered: the contract refused it, or could not run; `refusal` is the code that a receipt would have."""

    code = "VIEW_REFUSED"

    def __init__(self, refusal: str, detail: str) -> None:
        self.refusal = refusal
        super().__init__(detail)


class WorkerFailedError(UnavailableError):
    """A contract worker failed for a local reason, again in a fresh process; nothing was decided (CON-085, LED-024)."""

    code = "WORKER_FAILED"


class WorkerHungError(WorkerFailedError):
    """A contract worker did not come to an end, again in a fresh process; nothing was decided (CON-085, LED-024)."""

    code = "WORKER_HUNG"


class ViewTooSlowError(UnavailableError):
    """A view took longer than this node allows (CON-087)."""

    code = "VIEW_TOO_SLOW"
    status = 504


class JailIncompleteError(ConfigurationError):
    """A protection without which no contract may run cannot be had on this machine (CON-083)."""

    code = "JAIL_INCOMPLETE"
