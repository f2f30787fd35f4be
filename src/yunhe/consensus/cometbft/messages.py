"""The messages of ABCI 2.0 that an engine and its application exchange, as far as this application uses them.

Field numbers are those of CometBFT's own definition, `tendermint.abci` (version 0.39). What this
application does not use of a message is not here.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from yunhe.consensus.cometbft.wire import Fields, bytes_field, integer_field, message_field, repeated_field
from yunhe.errors import EngineMessageError


@dataclass(frozen=True, slots=True)
class Echo:
    """Asks for itself."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Flush:
    """Asks that what was answered is sent."""


@dataclass(frozen=True, slots=True)
class Info:
    """Asks what the application has committed; the first thing that an engine asks when it starts."""


@dataclass(frozen=True, slots=True)
class InitChain:
    """Tells of a new chain; repeated while the application has committed nothing."""

    chain_id: str


@dataclass(frozen=True, slots=True)
class Query:
    """Asks for data; only the engine itself can."""

    path: str


@dataclass(frozen=True, slots=True)
class CheckTx:
    """Asks whether an envelope may wait in the pool."""

    envelope: bytes
    is_again: bool
    """Whether it waits already, and a block was committed since it was asked for first."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Asks that the block that was finalised is made durable."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A validator's vote in the last commit, with what its application added."""

    validator: bytes
    """Address of its key."""
    extension: bytes


@dataclass(frozen=True, slots=True)
class PrepareProposal:
    """Asks which of the envelopes that wait shall be proposed."""

    bytes_max: int
    envelopes: tuple[bytes, ...]
    votes: tuple[Vote, ...]
    """The last commit, as this node has it."""
    height: int
    time_ms: int
    """Of the block."""


@dataclass(frozen=True, slots=True)
class ProcessProposal:
    """Asks whether a proposed block is acceptable."""

    envelopes: tuple[bytes, ...]
    height: int


@dataclass(frozen=True, slots=True)
class ExtendVote:
    """Asks what to add to this node's vote."""

    height: int


@dataclass(frozen=True, slots=True)
class VerifyVoteExtension:
    """Asks whether what another application added is acceptable."""

    validator: bytes
    height: int
    extension: bytes


@dataclass(frozen=True, slots=True)
class FinalizeBlock:
    """Asks to apply a decided block."""

    envelopes: tuple[bytes, ...]
    block_hash: bytes
    height: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Other:
    """A request that is answered with nothing, such as those about snapshots."""

    number: int


Request: TypeAlias = (
    Echo
    | Flush
    | Info
    | InitChain
    | Query
    | CheckTx
    | Commit
    | PrepareProposal
    | ProcessProposal
    | ExtendVote
    | VerifyVoteExtension
    | FinalizeBlock
    | Other
)

_EXCEPTION: Final = 1
_ANSWERS: Final = {1: 2, 2: 3, 3: 4, 5: 6, 6: 7, 8: 9, 11: 12, 12: 13, 13: 14, 14: 15, 15: 16, 16: 17, 17: 18, 18: 19, 19: 20, 20: 21}
"""Number of each request and of its answer."""


def read_request(data: bytes) -> tuple[Request, int]:
    """Return a request, and the number of its answer.

    Raises:
        EngineMessageError: it is none.
    """
    number, content = Fields(data).only()
    if number not in _ANSWERS:
        raise EngineMessageError(f"an unknown request, number {number}")
    return _request(number, Fields(content)), _ANSWERS[number]


def _request(number: int, fields: Fields) -> Request:  # one for each request
    match number:
        case 1:
            return Echo(fields.octets(1))
        case 2:
            return Flush()
        case 3:
            return Info()
        case 5:
            return InitChain(fields.text(2))
        case 6:
            return Query(fields.text(2))
        case 8:
            return CheckTx(fields.octets(1), fields.integer(2) == 1)
        case 11:
            return Commit()
        case _:
            return _consensus_request(number, fields)


def _consensus_request(number: int, fields: Fields) -> Request:
    match number:
        case 16:
            votes = tuple(_vote(Fields(vote)) for vote in fields.message(3).all(2))
            return PrepareProposal(fields.integer(1), fields.all(2), votes, fields.integer(5), _time_ms(fields.message(6)))
        case 17:
            return ProcessProposal(fields.all(1), fields.integer(5))
        case 18:
            return ExtendVote(fields.integer(2))
        case 19:
            return VerifyVoteExtension(fields.octets(2), fields.integer(3), fields.octets(4))
        case 20:
            return FinalizeBlock(fields.all(1), fields.octets(4), fields.integer(5), _time_ms(fields.message(6)))
        case _:
            return Other(number)


def _vote(fields: Fields) -> Vote:
    return Vote(fields.message(1).octets(1), fields.octets(3))


def _time_ms(timestamp: Fields) -> int:
    return timestamp.integer(1) * 1000 + timestamp.integer(2) // 1_000_000


def answer(number: int, content: bytes) -> bytes:
    """Return an answer by its number, with its content."""
    return message_field(number, content)


def exception(text: str) -> bytes:
    """Return the answer that a request failed; the engine ends itself."""
    return message_field(_EXCEPTION, bytes_field(1, text.encode()))


def echo_content(message: bytes) -> bytes:
    """Return the content of the answer to `Echo`."""
    return bytes_field(1, message)


def info_content(version: str, protocol_version: int, height: int, app_hash: bytes) -> bytes:
    """Return the content of the answer to `Info`."""
    stated = bytes_field(1, b"yunhe") + bytes_field(2, version.encode()) + integer_field(3, protocol_version)
    return stated + integer_field(4, height) + bytes_field(5, app_hash)


def init_chain_content(app_hash: bytes) -> bytes:
    """Return the content of the answer to `InitChain`: validators and parameters stay those of the engine's genesis."""
    return bytes_field(3, app_hash)


def check_content(code: int, log: str) -> bytes:
    """Return the content of the answer to `CheckTx`; 0 takes the envelope."""
    return integer_field(1, code) + bytes_field(3, log.encode())


def prepared_content(envelopes: tuple[bytes, ...]) -> bytes:
    """Return the content of the answer to `PrepareProposal`."""
    return repeated_field(1, envelopes)


def verdict_content(*, accepted: bool) -> bytes:
    """Return the content of the answer to `ProcessProposal` and `VerifyVoteExtension`."""
    return integer_field(1, 1 if accepted else 2)


def extension_content(extension: bytes) -> bytes:
    """Return the content of the answer to `ExtendVote`."""
    return bytes_field(1, extension)


def finalized_content(count: int, app_hash: bytes) -> bytes:
    """Return the content of the answer to `FinalizeBlock`: a constant result for each envelope, since receipts are the ledger's."""
    return repeated_field(2, [b""] * count) + bytes_field(5, app_hash)
