"""Errors of witnesses (docs/spec/witness.md)."""

from yunhe.errors.kinds import CorruptionError, UnavailableError


class HistoryContradictedError(CorruptionError):
    """A node shows another history than the one that the witness has; what it sent is kept as evidence (WIT-004)."""

    code = "HISTORY_CONTRADICTED"


class CertifiedBlockWrongError(CorruptionError):
    """The network certified a block that its rules do not lead to; what was sent is kept as evidence (WIT-004)."""

    code = "CERTIFIED_BLOCK_WRONG"


class BlockUncertifiedError(UnavailableError):
    """A node sent a block without a certificate that verifies, so the witness does not take it (WIT-002)."""

    code = "BLOCK_UNCERTIFIED"
