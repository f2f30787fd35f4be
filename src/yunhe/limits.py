"""Every limit of the protocol and of the node, by name.

A list, loop, queue, recursion or input without a limit named here is a mistake. Limits of the first group decide what is
valid, so all nodes of a chain must share them; changing one changes the protocol version. The second group is local.
"""

from typing import Final

# --- Protocol: the same on every node -------------------------------------------------------------------------------

INTEGER_MIN: Final = -(2**63)
"""Smallest integer that an encoding, a record or an argument may hold."""
INTEGER_MAX: Final = 2**63 - 1
"""Largest integer that an encoding, a record or an argument may hold."""
CODEC_DEPTH_MAX: Final = 16
"""Containers nested in one encoding."""
CODEC_INTEGER_KEYS_MAX: Final = 1024
"""Integer keys of one map of an encoding."""
NAME_CHARS_MAX: Final = 40
"""Characters of an organisation, member, contract, action, table, field or event name."""
HASH_BYTES: Final = 32
"""Length of the chain hash."""
SALT_BYTES: Final = 16
"""Length of a transaction's salt."""
SIGNERS_MAX: Final = 16
"""Signers of a transaction."""
CALLS_MAX: Final = 16
"""Calls of a transaction."""
TRANSACTION_BYTES_MAX: Final = 256 * 1024
"""Encoded transaction, signatures included."""
ENVELOPE_BYTES_MAX: Final = 512 * 1024
"""Encoded envelope."""
ENVELOPE_TRANSACTIONS_MAX: Final = 1024
"""Transactions in an envelope."""
BLOCK_ENVELOPES_MAX: Final = 64
"""Envelopes in an engine block."""
BLOCK_TRANSACTIONS_MAX: Final = 16_384
"""Transactions in a ledger block."""
BLOCK_BYTES_MAX: Final = 8 * 1024 * 1024
"""Encoded transactions of a ledger block, and encoded envelopes of an engine block, together. A decoded value takes up to some 72 bytes of
memory for each byte of its encoding, and a worker decodes a whole block."""
VALIDITY_WINDOW_MS_MAX: Final = 3_600_000
"""Largest value of the parameter `validity_window_ms` (W)."""
KEY_COMPONENTS_MAX: Final = 8
"""Components of a primary key, and of a row of an index: its fields and the primary key."""
STATE_KEY_BYTES_MAX: Final = 512
"""Encoded state key."""
RECORD_BYTES_MAX: Final = 256 * 1024
"""Encoded record."""
RECEIPT_BYTES_MAX: Final = 512 * 1024
"""Encoded receipt."""
CERTIFIERS_MAX: Final = 256
"""Members of a certifier set."""
CERTIFIER_POWER_MAX: Final = 1_000_000
"""Power of one certifier."""
GENESIS_BYTES_MAX: Final = 1024 * 1024
"""Genesis file."""
VOTE_EXTENSION_BYTES_MAX: Final = 32 * 1024
"""What an organisation's vote carries for the others: a checkpoint with a cosignature, and a certificate that one of them lacks. A node
that took less would find votes invalid that the others count."""
PROOF_BYTES_MAX: Final = 4 * 1024 * 1024
"""Proof bundle."""
PROOF_STEPS_MAX: Final = 256
"""Certifier changes that one bundle can span."""
PROOF_SUBJECTS_MAX: Final = 16
"""Subjects of one bundle."""
TREE_DEPTH: Final = 256
"""Levels of the state tree."""

# --- Contracts: the same on every node ------------------------------------------------------------------------------

CONTRACT_SOURCE_BYTES_MAX: Final = 128 * 1024
"""Contract source, UTF-8."""
CONTRACT_NESTING_MAX: Final = 24
"""Brackets or indentation levels nested in a contract's source."""
CONTRACT_LINE_TOKENS_MAX: Final = 512
"""Tokens in one logical line of a contract."""
CONTRACT_TOKENS_MAX: Final = 50_000
"""Tokens of a contract."""
CONTRACT_BLOCKS_MAX: Final = 12
"""Indentation levels nested in a contract's source; the interpreter has a limit of 20 nested blocks."""
CONTRACT_ELIF_MAX: Final = 64
"""`elif` branches of one `if`; each nests the next in the syntax tree."""
CONTRACT_TREE_DEPTH_MAX: Final = 120
"""Nodes nested in a contract's syntax tree, so that no walk over it meets an interpreter's limit."""
CONTRACT_NUMBER_CHARS_MAX: Final = 100
"""Characters of an integer literal."""
CONTRACT_FINDINGS_MAX: Final = 100
"""Findings that a refusal lists."""
CONTRACT_CALL_DEPTH_MAX: Final = 8
"""Contracts calling contracts."""
CONTRACT_FRAMES_MAX: Final = 48
"""Functions and comprehensions nested in one run of a contract, as the source's call graph tells."""
CONTRACT_LOAD_GAS: Final = 2_000_000
"""Gas for the module level of a contract when it is loaded."""
RECORD_FIELDS_MAX: Final = 64
"""Fields of a record or event type, and parameters of an action or view."""
CONTRACT_INTEGER_BITS_MAX: Final = 255
"""Magnitude of an integer while a contract computes with it."""
VALUE_DEPTH_MAX: Final = 8
"""Containers nested in a record, argument, event or result."""
FAULT_CHARS_MAX: Final = 500
"""Characters of what people are told of a contract's error, besides the line."""
EVENTS_MAX: Final = 256
"""Events of one transaction."""
TABLE_INDEXES_MAX: Final = 8
"""Indexes of one table, uniqueness constraints included."""
INDEX_BUILD_ROWS_MAX: Final = 10_000
"""Records that an upgrade can index, and rows of indexes that it can delete."""
SCAN_ROWS_MAX: Final = 10_000
"""Rows that one scan of a contract can return."""
BLOCK_SOURCE_BYTES_MAX: Final = 256 * 1024
"""Bytes of contract sources that a block checks, and looks into for an upgrade: two of the largest, some three seconds of work."""
GAS_LIMIT_MAX: Final = 1_000_000_000
"""Largest value of the parameter `gas_limit_max` and of a transaction's gas limit."""
BLOCK_GAS_MAX: Final = 3_000_000_000
"""Largest value of the parameter `block_gas_max`. What a block writes, returns and announces costs at least 20 gas a byte and has to fit,
with its transactions, into `BLOCK_RECORD_BYTES_MAX` and `WORKER_MESSAGE_BYTES_MAX`."""
LIVE_MEMORY_BYTES_MAX: Final = 64 * 1024 * 1024
"""Memory, as gas counts it, that one transaction may hold."""

# --- Local: each node for itself ------------------------------------------------------------------------------------

WORKER_MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
"""Address space of a contract worker; at least four times `LIVE_MEMORY_BYTES_MAX`, checked at start."""
WORKER_MESSAGE_BYTES_MAX: Final = 256 * 1024 * 1024
"""One message between node and worker."""
WORKER_CACHE_BYTES_MAX: Final = 256 * 1024 * 1024
"""Records that a worker caches."""
WORKER_START_MS_MAX: Final = 60_000
"""How long a contract worker may take to start."""
WORKER_BLOCK_MS_MAX: Final = 900_000
"""How long a worker may be at one block, however much it talks: a local fault, never an outcome."""
WORKER_ASKED_KEYS_MAX: Final = 4096
"""Keys of records that a worker asks for in one message."""
WORKER_ASKED_ROWS_MAX: Final = 256
"""Rows that a worker asks for in one message."""
WORKER_SILENCE_MS_MAX: Final = 300_000
"""How long a worker may be silent before it counts as hung: a local fault, never an outcome."""
WORKER_ANSWER_BYTES: Final = 16 * 1024 * 1024
"""Records that the node packs into one answer to a worker that asked for many."""
VIEW_MS_MAX: Final = 5_000
"""How long a view may run, waiting for another one included."""
SIMULATIONS_MAX: Final = 4
"""Calls that a node tries out at once, those that wait for the worker included."""
HTTP_HEAD_BYTES_MAX: Final = 64 * 1024
"""Request line and headers of an HTTP request."""
HTTP_BODY_BYTES_MAX: Final = 8 * 1024 * 1024
"""Body of an HTTP request."""
HTTP_OPEN_BODY_BYTES_MAX: Final = 384 * 1024
"""Body of a request that needs no token: the largest transaction, in base64."""
HTTP_BATCH_TRANSACTIONS_MAX: Final = 1024
"""Transactions of one HTTP batch."""
HTTP_WAIT_MS_MAX: Final = 60_000
"""How long a request may wait for a commit."""
HEIGHT_MAX: Final = 2**53 - 1
"""Height that a request can name: every reader of JSON has this integer exactly (RFC 7493)."""
PAGE_ROWS_MAX: Final = 1000
"""Rows of one page of a list."""
PAGE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Stored bytes after which a page of records or events ends, whatever its limit of rows."""
VERSION_BLOCKS_PER_READ_MAX: Final = 1000
"""Blocks that one read of a record's versions looks through."""
VERSION_BYTES_PER_READ_MAX: Final = 64 * 1024 * 1024
"""Stored bytes of blocks after which a read of a record's versions ends."""
EVENT_BLOCKS_PER_READ_MAX: Final = 1000
"""Blocks that one read of events looks through."""
EVENTS_CACHED_BYTES_MAX: Final = 32 * 1024 * 1024
"""Stored bytes of the blocks whose events a node keeps decoded for those who follow."""
EVENT_STREAMS_MAX: Final = 256
"""Streams of events that a node serves at once."""
EVENT_STREAM_SILENCE_S: Final = 15
"""How long a stream of events may be silent before it says how far it is."""
EVENT_CONDITIONS_MAX: Final = 8
"""Fields that a filter of events compares."""
WEBHOOKS_MAX: Final = 64
"""Webhooks of a node."""
WEBHOOK_URL_CHARS_MAX: Final = 2048
"""Characters of a webhook's address."""
WEBHOOK_TIMEOUT_S: Final = 10
"""How long a webhook's receiver may take to answer."""
WEBHOOK_RETRY_PAUSES_S: Final = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800)
"""Pauses between the tries of an event, 24 hours together; after the last try it becomes a dead letter."""
WEBHOOK_DEAD_LETTERS_MAX: Final = 10_000
"""Dead letters of a webhook; with one more it is halted."""
TOKENS_MAX: Final = 4096
"""API tokens of a node, with those that ended and are kept."""
TOKENS_BYTES_MAX: Final = 4 * 1024 * 1024
"""Register of API tokens."""
TOKEN_DAYS_MAX: Final = 3650
"""Days after which an API token expires at the latest."""
TOKEN_KEPT_MS: Final = 90 * 86_400_000
"""How long a token that was revoked or has expired stays in the register."""
HTTP_REQUEST_MS: Final = 30_000
"""How long a client may take to send a whole request, head and body, unless the node's configuration says otherwise."""
RELAY_RATE: Final = 10
"""Transactions a second that a node takes from each member without a token, unless its settings say otherwise."""
RELAYED_MAX: Final = 1024
"""Transactions that came without a token and are being checked or wait for a block, at once."""
QUOTA_BURST_S: Final = 2
"""Seconds of its quota that a caller or member may use ahead of time."""
TLS_HANDSHAKES_MAX: Final = 256
"""Connections that shake hands at once."""
TLS_HANDSHAKE_MS_MAX: Final = 5_000
"""How long a handshake may take."""
HTTP_CONNECTIONS: Final = 1000
"""Connections that the HTTP API holds open at once, unless the node's configuration says otherwise."""
DESCRIPTORS_BESIDE_CONNECTIONS: Final = 512
"""File descriptors that a node keeps for its store, its workers and its webhooks."""
CONNECTION_STUCK_MS_MAX: Final = 30_000
"""How long a client may take none of the bytes that are sent to it."""
PENDING_TRANSACTIONS_MAX: Final = 16_384
"""Accepted transactions that wait for a block: some seconds of a node's work, so that nobody waits long for an answer, and no more than
`OPENED_ENVELOPES_BYTES_MAX` keeps of usual ones, so that none is verified twice."""
AUDIT_FILE_BYTES_MAX: Final = 8 * 1024 * 1024
"""An audit log of this size is put aside, and another file begun."""
AUDIT_TEXT_CHARS_MAX: Final = 256
"""Text that an entry of the audit log keeps of what an action was done to."""
DISK_FREE_BYTES_MIN: Final = 256 * 1024 * 1024
"""Free space below which a node says that it is not ready: room for the largest block."""
ENGINE_QUEUE_ENVELOPES_MAX: Final = 1024
"""Envelopes that wait in the engine."""
SOLO_BLOCK_MS: Final = 400
"""How long a block of the solo engine should take to execute: what waits longer is divided among more blocks."""
UNCOMMITTED_BLOCKS_MAX: Final = 2
"""Blocks that an engine delivers ahead of their commit: one is made durable while the next one executes."""
ENGINE_QUEUE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Bytes of the envelopes that wait in the engine."""
ENGINE_POOL_BYTES_MAX: Final = 16 * 1024 * 1024
"""Bytes of the envelopes that CometBFT keeps in its memory and hands on: two full blocks. It asks about all of them after each block."""
ENGINE_SHARE_BYTES_MAX: Final = ENGINE_POOL_BYTES_MAX // 4
"""Of that, one organisation's."""
ENGINE_SENT_BYTES_MAX: Final = ENGINE_SHARE_BYTES_MAX // 2
"""Of its own envelopes a node lets so much wait there: every other node has room for that while six organisations send all they can."""
ENGINE_BEHIND_S_MAX: Final = 60
"""So far may a node's clock be behind the time of a block that the others agreed on."""
ENGINE_AHEAD_MS_MAX: Final = 60_000
"""So far may a node's clock be behind that of a gateway whose transactions it hands on."""
JOINING_FILE_BYTES_MAX: Final = GENESIS_BYTES_MAX + 256 * 1024
"""Invitation to a network, or request for one."""
INVITATION_DAYS_MAX: Final = 90
"""Days after which an invitation expires at the latest."""
NETWORK_NODES_MAX: Final = 32
"""Nodes of a network whose folder is on one machine."""
ENGINE_PEERS_MAX: Final = 128
"""Other nodes that a node connects to and lets in."""
ENGINE_LOG_BYTES_MAX: Final = 16 * 1024 * 1024
"""One file of the engine's log, after which the next one begins."""
ENGINE_LOG_FILES_MAX: Final = 4
"""Older files of the engine's log that are kept."""
ENGINE_LINE_CHARS_MAX: Final = 64 * 1024
"""One line of what the engine writes; a longer one is kept in parts."""
ABCI_MESSAGE_BYTES_MAX: Final = BLOCK_BYTES_MAX + CERTIFIERS_MAX * (VOTE_EXTENSION_BYTES_MAX + 1024) + 2 * 1024 * 1024
"""One message between a node and its engine: the envelopes for a block, the vote of each validator on the one before, and what belongs to
it."""
ABCI_CONNECTIONS_MAX: Final = 16
"""Connections that a node takes from its engine, which needs four; those of one that has just ended may still be there."""
CERTIFICATE_TOLD_BYTES_MAX: Final = 30 * 1024
"""Of what a vote carries, the certificate: some sixty organisations on each side of it."""
CHECKPOINTS_COLLECTED_MAX: Final = 32
"""Newest checkpoints whose cosignatures a node gathers."""
EARLY_PAUSE_S: Final = 1.0
"""After this long a transaction that blocks had too early twice is handed in once more."""
ENGINE_RESEND_S: Final = 5
"""After this long an accepted envelope that no block has is handed to the engine again."""
ENGINE_BEHIND_MS_MAX: Final = 2_000
"""So far may the time of a block be behind the local clock before its proposer lets one without envelopes go ahead of it."""
ENGINE_IDLE_S_MIN: Final = 30
"""How long nothing has to be committed before a proposer does so."""
ENGINE_ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
"""What a node reads of one answer of its engine."""
OPENED_ENVELOPES_BYTES_MAX: Final = ENGINE_POOL_BYTES_MAX + BLOCK_BYTES_MAX
"""Encoded bytes of the envelopes whose verified contents a node remembers, decoded: those in the memory of its engine, which asks about
all of them after each block, and those of a proposed block beside them."""
ENVELOPE_SHARE_TRANSACTION_BYTES: Final = 256
"""What a transaction counts at least where the memory for envelopes is shared out; usual ones have more."""
WASTED_RATE: Final = 256
"""Transactions a second that do not verify and that a node bears of each organisation's nodes."""
WASTED_BURST: Final = 2048
"""So many of them more at once, before it verifies nothing more of them for a while."""
DROPPED_REMEMBERED_MAX: Final = 10_000
"""Dropped transactions whose reason a node remembers."""
COLLECTED_TRANSACTIONS_MAX: Final = 512
"""Transactions that the gateway verifies without waiting for more."""
COLLECTED_BYTES_MAX: Final = 16 * 1024 * 1024
"""Encoded bytes of the transactions that wait to be verified; they are decoded all at once."""
GATEWAY_COLLECT_MS: Final = 5
"""How long the gateway collects transactions for one verification."""
SEGMENT_BYTES_MAX: Final = 64 * 1024 * 1024
"""Segment of the block log, after which the next one begins."""
BLOCK_RECORD_BYTES_MAX: Final = 256 * 1024 * 1024
"""One block in the block log."""
STATE_CACHE_BYTES: Final = 256 * 1024 * 1024
"""Records and tree nodes that the state store keeps in memory."""
DOCUMENT_BYTES_MAX: Final = 4 * 1024 * 1024
"""Document beside the chain, as checked by the verifier."""
DOCUMENT_DEPTH_MAX: Final = 64
"""Containers nested in such a document."""
DOCUMENT_INTEGER_MAX: Final = 2**53 - 1
"""Largest integer of such a document; a double does not hold all integers beyond."""
CHECKPOINT_BYTES_MAX: Final = 64 * 1024
"""Trusted checkpoint, as read by the verifier."""
KEY_FILE_BYTES_MAX: Final = 64 * 1024
"""Encrypted key file."""
KEY_FILE_ROUNDS_MAX: Final = 10_000_000
"""Rounds of PBKDF2 that a key file can ask for, some seconds of work."""
KEY_FILE_MEMORY_BYTES_MAX: Final = 64 * 1024 * 1024
"""Memory that a key file can ask for with scrypt, all its lanes together."""

ORGANISATIONS_MAX: Final = 10_000
"""Organisations that are read at once; a ledger has fewer (SYS-008)."""
SKIP_ORDER_SIGNATURES_MAX: Final = 1_000
"""Signatures of a skip order, so that it fits into a record; half as many organisations again are the most that can order."""
STUCK_NAMED_MAX: Final = 20
"""Transactions that are named of a block whose execution hangs."""
