"""Shapes of the HTTP API's answers, from which its OpenAPI description is made.

Hashes and ids are 64 lower-case hexadecimal digits; times are milliseconds since 1970-01-01 UTC; values inside receipts and records are
shown as `yunhe.ledger.rendering` shows them.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, JsonValue

from yunhe.gateway.problems import Problem
from yunhe.gateway.strict_route import RequestBody
from yunhe.limits import HEIGHT_MAX, KEY_COMPONENTS_MAX, PROOF_SUBJECTS_MAX

CONTRACT_PATTERN = "^[a-z][a-z0-9_]{0,39}$"
TABLE_PATTERN = "^[a-z][a-z0-9_]{0,39}(#[a-z][a-z0-9_]{0,39}(,[a-z][a-z0-9_]{0,39}){0,7})?$"
EVENT_PATTERN = "^[A-Z][A-Za-z0-9_]{0,39}$"

HexHash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class EventBody(BaseModel):
    """Something that a contract announced."""

    contract: str
    name: str
    fields: dict[str, JsonValue]


class PlacedEventBody(EventBody):
    """An event with its place in the ledger."""

    id: str = Field(description="HEIGHT.POSITION.INDEX; the same event has the same id for ever and at every node", examples=["12.0.1"])
    height: int
    position: int = Field(description="place of the transaction in the block, from 0")
    index: int = Field(description="place of the event in the transaction, from 0")
    time_ms: int = Field(description="time of the block")
    transaction_id: HexHash


class EventPage(BaseModel):
    """Events in the order of the ledger."""

    items: list[PlacedEventBody]
    next: str = Field(
        description="pass as `cursor` to go on, also later when there is more; it is an event's id, or the height of a whole block"
    )
    complete: bool = Field(description="whether everything up to the last block was read; when not, go on, also if this page is empty")


class ReceiptBody(BaseModel):
    """What a transaction did."""

    transaction_id: HexHash
    code: str = Field(description="`OK`, a code of the ledger, or the contract's refusal code")
    call_index: int = Field(description="call that failed; -1 when none did or the fault was before the calls")
    gas_used: int
    results: list[JsonValue] = Field(description="one value for each call when the code is OK")
    events: list[EventBody]


class SubmittedBody(BaseModel):
    """What became of a submitted transaction."""

    id: HexHash | None = Field(description="the transaction's id; null when it could not be decoded")
    status: Literal["accepted", "committed", "refused"] = Field(
        description="`accepted`: waits for its block, not yet durable; `committed`: durable, see the receipt; `refused`: see the problem"
    )
    height: int | None = None
    position: int | None = Field(default=None, description="place in the block, from 0")
    time_ms: int | None = Field(default=None, description="time of the block")
    receipt: ReceiptBody | None = None
    problem: Problem | None = None


class BatchBody(BaseModel):
    """What became of each transaction of a batch, in order."""

    results: list[SubmittedBody]


class PlacedReceiptBody(BaseModel):
    """A receipt with its place in the ledger."""

    height: int
    position: int
    time_ms: int
    receipt: ReceiptBody


class SignerBody(BaseModel):
    """A member who signed."""

    organisation: str
    member: str
    suite: str
    public_key: str


class CallBody(BaseModel):
    """One action of one contract."""

    contract: str
    action: str
    arguments: dict[str, JsonValue]


class TransactionBodyBody(BaseModel):
    """A transaction as it was signed."""

    id: HexHash
    network_id: HexHash
    signers: list[SignerBody]
    calls: list[CallBody]
    valid_until_ms: int
    gas_limit: int
    salt: str
    signatures: list[str]


class PlacedTransactionBody(BaseModel):
    """A transaction with its place in the ledger."""

    height: int
    position: int
    time_ms: int
    transaction: TransactionBodyBody


class HeaderBody(BaseModel):
    """A block's header."""

    hash: HexHash
    network_id: HexHash
    height: int
    time_ms: int
    previous: HexHash
    transactions_root: HexHash
    receipts_root: HexHash
    state_root: HexHash
    next_certifiers: HexHash


class BlockBody(BaseModel):
    """A ledger block: its header and what it decided."""

    header: HeaderBody
    transaction_ids: list[HexHash]
    codes: list[str] = Field(description="code of each transaction's receipt")


class BlockPage(BaseModel):
    """Headers, newest first."""

    items: list[HeaderBody]
    next: str | None = Field(description="pass as `cursor` for the next page; null at the end")


class RecordBody(BaseModel):
    """A record as of `height`."""

    key: list[str | int] = Field(description="components of the primary key; byte strings as 0x and hexadecimal digits")
    fields: JsonValue


class PlacedRecordBody(RecordBody):
    """A record with the height that it was read at."""

    height: int


class RecordPage(BaseModel):
    """Records of a table, in the order that was asked for."""

    height: int = Field(description="the last block when this page was read")
    items: list[RecordBody]
    next: str | None = Field(description="pass as `cursor` for the next page; null at the end")


class RecordVersionBody(BaseModel):
    """What a block wrote at a record's key."""

    height: int
    time_ms: int
    fields: JsonValue = Field(description="the record after this block; null when the block removed it")


class RecordVersionPage(BaseModel):
    """Versions of a record, newest first."""

    oldest: int = Field(description="the oldest block that this node keeps whole; versions before it are not listed")
    items: list[RecordVersionBody]
    next: str | None = Field(description="pass as `cursor` for the next page; null at the end")


class ViewRequest(RequestBody):
    """A view to run."""

    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class ViewBody(BaseModel):
    """A view's result."""

    height: int
    result: JsonValue


class RowChangeBody(BaseModel):
    """One row of a table, map or log before and after."""

    contract: str
    table: str
    key: list[JsonValue]
    before: JsonValue = Field(description="its fields; null where there was no row")
    after: JsonValue = Field(description="its fields; null where it would be deleted")


class SimulatedBody(BaseModel):
    """What calls would have done."""

    height: int = Field(description="of the block that the state is of")
    code: str
    call_index: int = Field(description="call that failed; -1 when none did, or it failed before the calls")
    gas_used: int
    results: list[JsonValue]
    events: list[JsonValue]
    fault: str = Field(description="what lies behind CONTRACT_FAULT, with its line; else empty")
    changes: list[RowChangeBody]


class PlacedSubject(RequestBody):
    """A transaction or a receipt to prove."""

    kind: Literal["transaction", "receipt"]
    transaction_id: HexHash


class RecordSubject(RequestBody):
    """A record to prove, or its absence when there is none."""

    kind: Literal["record"]
    contract: str = Field(pattern=CONTRACT_PATTERN)
    table: str = Field(pattern=TABLE_PATTERN, description="`table#field,field` for a row of an index by these fields")
    key: list[str | int] = Field(
        min_length=1, max_length=KEY_COMPONENTS_MAX, description="components; byte strings as 0x and hexadecimal digits"
    )


class ProofRequest(RequestBody):
    """What to prove in one bundle; all subjects are about one height."""

    subjects: list[Annotated[PlacedSubject | RecordSubject, Field(discriminator="kind")]] = Field(
        min_length=1, max_length=PROOF_SUBJECTS_MAX
    )
    height: int | None = Field(
        default=None,
        ge=0,
        le=HEIGHT_MAX,
        description="height of records; the last block when absent. Transactions and receipts have their own",
    )


class WebhookRequest(RequestBody):
    """A webhook to register."""

    url: str = Field(description="https address that events are posted to, as CloudEvents", examples=["https://example.org/events"])
    contract: str | None = Field(default=None, pattern=CONTRACT_PATTERN, description="events of this contract only")
    event: str | None = Field(default=None, pattern=EVENT_PATTERN, description="events of this class only")
    where: dict[str, JsonValue] = Field(default_factory=dict, description="fields and the values that they must have")
    from_height: int | None = Field(default=None, ge=0, le=HEIGHT_MAX, description="first block to look at; the next one when absent")


class WebhookBody(BaseModel):
    """A registered webhook and how it is."""

    id: str
    url: str
    contract: str | None
    event: str | None
    where: dict[str, JsonValue]
    created_ms: int
    reached: str = Field(description="id of the last event, or height of the last block, that was dealt with")
    state: Literal["running", "failing", "halted"]
    reason: str | None = Field(description="why it fails or was halted")
    attempts: int = Field(description="how often the event in hand was tried in vain")
    dead_letters: int = Field(description="events that could not be delivered")


class NewWebhookBody(WebhookBody):
    """A webhook as it was registered."""

    secret: str = Field(description="key of the signatures; shown only now")


class WebhookPage(BaseModel):
    """Webhooks, oldest first."""

    items: list[WebhookBody]
    next: str | None = Field(description="pass as `cursor` for the next page; null at the end")


class DeadLetterBody(BaseModel):
    """An event that could not be delivered."""

    event: str = Field(description="the event's id")
    reason: str
    time_ms: int
    again: bool = Field(description="whether it waits to be tried again")


class DeadLetterPage(BaseModel):
    """Dead letters of a webhook, oldest first."""

    items: list[DeadLetterBody]
    next: str | None = Field(description="pass as `cursor` for the next page; null at the end")


class RetryBody(BaseModel):
    """How many dead letters are tried again."""

    count: int


class HealthBody(BaseModel):
    """How the node is."""

    status: Literal["running", "halted", "stopping"]
    reason: str | None


class ReadyBody(BaseModel):
    """Whether the node takes transactions now."""

    ready: bool
    reason: str | None = Field(description="why not")


class StatusBody(BaseModel):
    """How the node is, in detail."""

    status: Literal["running", "halted", "stopping"]
    reason: str | None
    network: str
    network_id: HexHash
    organisation: str
    node: str
    height: int
    time_ms: int
    engine: str
    engine_height: int
    waiting: int
    ready: bool
    unready: str | None = Field(description="why the node takes no transactions now")
    started_ms: int
    transactions: dict[str, int] = Field(description="transactions since the start, by outcome")
    worker_restarts: dict[str, int] = Field(description="how often each contract worker was started again")
    disk_free_bytes: int
    protections: dict[str, bool]


class VersionBody(BaseModel):
    """Versions of software and protocol."""

    yunhe: str
    protocol: int
    python: str
    network_id: HexHash
    chain_hash: str
