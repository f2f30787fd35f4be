"""Errors of networks between organisations: the engine beside each node, and the folder of a network (docs/spec/network.md)."""

from yunhe.errors.kinds import ConfigurationError, ConflictError, CorruptionError, InvalidInputError, UnavailableError


class EngineMissingError(ConfigurationError):
    """The program of the engine between organisations is not on this machine."""

    code = "ENGINE_MISSING"


class EngineVersionError(ConfigurationError):
    """The program that was found is not the engine, or not the version of it that is needed."""

    code = "ENGINE_VERSION"


class EngineFilesError(ConfigurationError):
    """A file of the engine is missing, readable by others or not what it has to be."""

    code = "ENGINE_FILES"


class EngineUnreachableError(UnavailableError):
    """The engine between organisations does not answer its node."""

    code = "ENGINE_UNREACHABLE"


class EngineOtherNetworkError(ConflictError):
    """The engine of another node, which the settings name, is of another network (NET-044)."""

    code = "ENGINE_OTHER_NETWORK"


class EngineFailedError(UnavailableError):
    """The engine between organisations cannot go on, and starting it again does not help; the message says why."""

    code = "ENGINE_FAILED"


class NetworkFolderError(ConfigurationError):
    """A network's folder on this machine is none, not whole, or cannot be made as asked for (NET-010)."""

    code = "NETWORK_FOLDER"


class NetworkRunningError(ConflictError):
    """The network runs already."""

    code = "NETWORK_RUNNING"


class InvitationInvalidError(InvalidInputError):
    """An invitation to a network, or a request for one, is none or was altered (NET-020, NET-021)."""

    code = "INVITATION_INVALID"


class InvitationOtherError(ConflictError):
    """An invitation is for another network or another node (NET-022)."""

    code = "INVITATION_OTHER"


class InvitationExpiredError(ConflictError):
    """The time of an invitation is over (NET-023)."""

    code = "INVITATION_EXPIRED"


class ProtocolWrongError(ConfigurationError):
    """A network runs another version of the ledger's rules than this one (NET-024)."""

    code = "PROTOCOL_WRONG"


class ProtocolUnknownError(ConfigurationError):
    """The next block is of a version of the ledger's rules that this release does not know (LED-051)."""

    code = "PROTOCOL_UNKNOWN"


class BlockStuckError(UnavailableError):
    """A block cannot be executed here, because of one of its transactions; nothing was decided (LED-024)."""

    code = "BLOCK_STUCK"


class SkipOrderInvalidError(InvalidInputError):
    """An order to pass over a transaction is none, for another block, or not signed by enough (LED-060, LED-061)."""

    code = "SKIP_ORDER_INVALID"


class EngineMessageError(UnavailableError):
    """The engine sent its node what is no message."""

    code = "ENGINE_MESSAGE"


class EngineOrderError(CorruptionError):
    """The engine asked for blocks in an order that cannot be."""

    code = "ENGINE_ORDER"
