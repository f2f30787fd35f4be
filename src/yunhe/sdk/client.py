"""The client of a node's HTTP API: build, sign, submit, wait, query, prove.

Submitting is safe to repeat: a transaction is executed once, however often it arrives, so the client tries again by itself when a
connection breaks or the node has too much to do, until its time is over. It trusts what the node says of records; what must be certain is
asked for as a proof and verified (`yunhe.sdk.proofs`).
"""

import json
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from types import TracebackType
from typing import Any, Final, TypeAlias

import httpx

from yunhe.crypto import ChainHash, chain_hash
from yunhe.errors import (
    BadAnswerError,
    InvalidAddressError,
    MalformedError,
    NodeUnreachableError,
    OverloadedError,
    TokenWrongError,
    TransactionRefusedError,
    UnavailableError,
    WaitTimeoutError,
    YunheError,
)
from yunhe.ledger.codec import Value, encode
from yunhe.ledger.transaction import Call, Transaction, TransactionBody, sign_transaction
from yunhe.limits import HTTP_BATCH_TRANSACTIONS_MAX, INTEGER_MAX, SALT_BYTES
from yunhe.sdk.answers import Submitted, hash_of, json_object, pages, submitted, text_of
from yunhe.sdk.events import follow_stream
from yunhe.sdk.key_files import Member, MemberKey
from yunhe.sdk.problems import raise_problem
from yunhe.sdk.webhooks import WebhookRegister

_CBOR: Final = {"Content-Type": "application/cbor"}
_VALID_FOR_MS: Final = 300_000
_GAS_LIMIT: Final = 20_000_000
_ATTEMPT_WAIT_MS: Final = 10_000
_RETRY_FIRST_S: Final = 0.1
_RETRY_MAX_S: Final = 2.0
_PORT_MAX: Final = 65_535

Key: TypeAlias = Sequence[str | int | bytes]
"""Components of a primary key or of a row of an index, or the leading ones."""


class Client:
    """A connection to one node. Use as a context manager, or call `close`."""

    def __init__(
        self,
        address: str,
        token: str = "",
        *,
        network_id: bytes | None = None,
        hash_name: str | None = None,
        timeout_s: float = 30.0,
        on_retry: Callable[[YunheError], None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Connect lazily.

        Args:
            address: such as `http://127.0.0.1:8440`.
            token: an API token of the node, as `yunhe token create` shows it.
            network_id: hash of the genesis, if known; else the node is asked once and believed.
            hash_name: the network's hash, as its genesis says, if known; else the node is asked once and believed.
            timeout_s: how long a call may take, retries included, seconds.
            on_retry: is told why, when a call did not succeed and is tried again.
            tls: whose certificates are accepted for an `https` address (`yunhe.sdk.trusting`); those that the system trusts when left out.

        Raises:
            InvalidAddressError: the address is none.
            TokenWrongError: the token is none that a node makes.
        """
        self._address = address
        self._http = httpx.Client(base_url=_checked_address(address), headers=_authorization(token), timeout=timeout_s, verify=tls or True)
        self._network_id = network_id
        self._chain_hash = None if hash_name is None else chain_hash(hash_name)
        self._timeout_s = timeout_s
        self._on_retry = on_retry

    def __enter__(self) -> "Client":
        """Return the client."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the client."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    @property
    def network_id(self) -> bytes:
        """The network that transactions are made for."""
        if self._network_id is None:
            self._network_id = hash_of(self.version(), "network_id")
        return self._network_id

    @property
    def chain_hash(self) -> ChainHash:
        """The network's hash, which makes the ids of transactions."""
        if self._chain_hash is None:
            self._chain_hash = chain_hash(text_of(self.version(), "chain_hash"))
        return self._chain_hash

    # --- Transactions -----------------------------------------------------------------------------------------------

    def build(
        self,
        signers: Sequence[MemberKey],
        calls: Sequence[Call],
        *,
        gas_limit: int = _GAS_LIMIT,
        valid_for_ms: int = _VALID_FOR_MS,
    ) -> Transaction:
        """Build and sign a transaction.

        Args:
            signers: all signers with their keys; the first is the sender.
            calls: in order; they succeed or fail together.
            gas_limit: bound of work and memory.
            valid_for_ms: how long it may wait for a block, milliseconds from now by this machine's clock.

        Raises:
            MalformedError: it would not be well formed.
        """
        body = TransactionBody(
            self.network_id,
            tuple(signer.signer for signer in signers),
            tuple(calls),
            time.time_ns() // 1_000_000 + valid_for_ms,
            gas_limit,
            secrets.token_bytes(SALT_BYTES),
        )
        return sign_transaction(body, [signer.key for signer in signers], self.chain_hash)

    def submit(self, transaction: Transaction, *, wait: bool = True) -> Submitted:
        """Submit a transaction, and wait for its block unless told not to.

        Returns:
            What became of it; with `wait` always committed, with a receipt of any code.

        Raises:
            WaitTimeoutError: it was accepted and not committed in time; submit it again to go on waiting.
            YunheError: it was refused.
        """
        return self._submit("/v1/transactions", transaction, wait=wait)

    def _submit(self, path: str, transaction: Transaction, *, wait: bool) -> Submitted:
        deadline = self._deadline()
        while True:
            left_ms = max(1, int((deadline - time.monotonic()) * 1000))
            parameters = {"wait": "committed" if wait else "none", "wait_ms": str(min(left_ms, _ATTEMPT_WAIT_MS))}
            answer = self._request("POST", path, deadline, params=parameters, content=transaction.encoded, headers=_CBOR)
            outcome = submitted(answer, transaction.id)
            if outcome.status == "committed" or not wait:
                return outcome
            if time.monotonic() >= deadline:
                raise WaitTimeoutError("the transaction was accepted but not committed in time; submit the same one again to go on waiting")

    def relay(self, transaction: Transaction, *, wait: bool = True) -> Submitted:
        """Hand a transaction to this node as a member without a token may, whatever organisation's node it is, and wait for its block.

        Returns:
            What became of it, as `submit`.

        Raises:
            RelayOffError: the node takes none without a token.
            QuotaExceededError: the first signer hands in more than the node takes; it was tried again until the time was over.
            WaitTimeoutError: it was accepted and not committed in time; relay it again to go on waiting.
            YunheError: it was refused.
        """
        return self._submit("/v1/relay", transaction, wait=wait)

    def submit_batch(self, transactions: Sequence[Transaction], *, wait: bool = True) -> list[Submitted]:
        """Submit many transactions in one request each `HTTP_BATCH_TRANSACTIONS_MAX`; one result for each, in order."""
        results: list[Submitted] = []
        for start in range(0, len(transactions), HTTP_BATCH_TRANSACTIONS_MAX):
            part = transactions[start : start + HTTP_BATCH_TRANSACTIONS_MAX]
            deadline = self._deadline()
            parameters = {"wait": "committed" if wait else "none", "wait_ms": str(int(self._timeout_s * 1000))}
            body = encode([transaction.encoded for transaction in part])
            answer = self._request("POST", "/v1/transactions/batch", deadline, params=parameters, content=body, headers=_CBOR)
            outcomes = answer.get("results")
            if not isinstance(outcomes, list) or len(outcomes) != len(part):
                raise BadAnswerError("the node answered a batch with another number of results")
            results.extend(submitted(outcome, transaction.id) for outcome, transaction in zip(outcomes, part, strict=True))
        return results

    def call(self, signers: MemberKey | Sequence[MemberKey], contract: str, action: str, /, **arguments: Value) -> Submitted:
        """Build, submit and wait for one call.

        Returns:
            The committed transaction, whose receipt's code is `OK`.

        Raises:
            TransactionRefusedError: the receipt has another code; the error has it as `receipt_code`.
            YunheError: it was refused before it had a receipt.
        """
        keys = [signers] if isinstance(signers, MemberKey) else list(signers)
        return self.require_ok(self.submit(self.build(keys, [Call(contract, action, arguments)])), contract, action)

    @staticmethod
    def require_ok(submitted: Submitted, contract: str, action: str) -> Submitted:
        """Return a committed transaction whose receipt's code is `OK`.

        Raises:
            TransactionRefusedError: it has another code.
        """
        if submitted.code != "OK":
            raise TransactionRefusedError(contract, action, submitted.code, submitted.transaction_id)
        return submitted

    # --- Queries ----------------------------------------------------------------------------------------------------

    def version(self) -> dict[str, Any]:
        """Return the versions of the node's software and protocol."""
        return self._get("/v1/version")

    def health(self) -> dict[str, Any]:
        """Return whether the node runs; does not raise when it is halted."""
        answer = self._send("GET", "/v1/health", self._deadline())
        return json_object(answer)

    def ready(self) -> dict[str, Any]:
        """Return whether the node takes transactions, and why not; does not raise when it does not."""
        return json_object(self._send("GET", "/v1/ready", self._deadline()))

    def status(self) -> dict[str, Any]:
        """Return how the node is."""
        return self._get("/v1/status")

    def transaction(self, transaction_id: bytes) -> dict[str, Any]:
        """Return a transaction with its place."""
        return self._get(f"/v1/transactions/{transaction_id.hex()}")

    def receipt(self, transaction_id: bytes) -> dict[str, Any]:
        """Return a receipt with its place."""
        return self._get(f"/v1/receipts/{transaction_id.hex()}")

    def block(self, height: int) -> dict[str, Any]:
        """Return a ledger block's header, transaction ids and codes."""
        return self._get(f"/v1/blocks/{height}")

    def blocks(self, limit: int = 20, *, from_height: int = 0, to_height: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield up to `limit` headers, newest first, from `to_height` (the last block when left out) down to `from_height`."""
        parameters = {"from_height": str(from_height)} | ({} if to_height is None else {"to_height": str(to_height)})
        yield from self._pages("/v1/blocks", parameters, limit)

    def record(self, contract: str, table: str, key: Key, height: int | None = None) -> dict[str, Any]:
        """Return one record as {key, fields, height}.

        Args:
            contract: name of the contract.
            table: name of its table.
            key: components of the primary key.
            height: of a block after which the record is wanted; the last block when left out.

        Raises:
            RecordNotFoundError: there is none with this key, or was none then.
            HistoryGoneError: the node keeps records of later heights only.
            BlockNotFoundError: there is no block of that height yet.
        """
        parameters = {"key": _key_text(key)} | ({} if height is None else {"height": str(height)})
        return self._get(f"/v1/contracts/{contract}/tables/{table}/record", parameters)

    def record_versions(
        self, contract: str, table: str, key: Key, *, from_height: int | None = None, to_height: int | None = None, limit: int = 100
    ) -> Iterator[dict[str, Any]]:
        """Yield up to `limit` versions of a record as {height, time_ms, fields}, newest first: what blocks wrote at its key.

        Args:
            contract: name of the contract.
            table: name of its table.
            key: components of the primary key.
            from_height: of the last block to look at; the oldest that the node keeps whole when left out.
            to_height: of the first block to look at; the last block when left out.
            limit: how many at most.

        Raises:
            BlockPrunedError: the node does not keep the block `from_height` whole.
        """
        heights = {"from_height": from_height, "to_height": to_height}
        parameters = {"key": _key_text(key)} | {name: str(height) for name, height in heights.items() if height is not None}
        yield from self._pages(f"/v1/contracts/{contract}/tables/{table}/record/versions", parameters, limit)

    def records(
        self,
        contract: str,
        table: str,
        prefix: Key = (),
        *,
        by: str | Sequence[str] = (),
        start: Key = (),
        end: Key = (),
        limit: int = 1000,
        reverse: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Yield up to `limit` records of a table as {key, fields}, in the order of their keys or of an index, page by page.

        Args:
            contract: name of the contract.
            table: name of its table.
            prefix: leading components that all keys, or rows of the index, have.
            by: field, or fields, of an index of the table, in whose order the records come. A row of an index is these fields and then the
                primary key; of a uniqueness constraint these fields alone.
            start: first key or row, or its leading components; inclusive.
            end: key or row, or its leading components, before which the list ends.
            limit: how many at most.
            reverse: whether the last comes first.

        Raises:
            IndexNotFoundError: the contract declares no such index.
        """
        parameters = _list_parameters(prefix, by, start, end, reverse=reverse)
        yield from self._pages(f"/v1/contracts/{contract}/tables/{table}/records", parameters, limit)

    def record_page(  # noqa: PLR0913  # what `records` takes, and a cursor
        self,
        contract: str,
        table: str,
        prefix: Key = (),
        *,
        by: str | Sequence[str] = (),
        start: Key = (),
        end: Key = (),
        limit: int = 100,
        reverse: bool = False,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """Return one page of what `records` yields, as {height, items, next}; all of it is of one block.

        It takes what `records` takes, `limit` up to `PAGE_ROWS_MAX`. `next` is the cursor of the page that follows, which takes the same
        table, order, prefix and bounds; None at the end.

        Raises:
            IndexNotFoundError: the contract declares no such index.
            CursorError: the cursor is not of this list.
        """
        parameters = _list_parameters(prefix, by, start, end, reverse=reverse) | {"limit": str(limit)}
        if cursor is not None:
            parameters["cursor"] = cursor
        return self._get(f"/v1/contracts/{contract}/tables/{table}/records", parameters)

    def events(
        self,
        contract: str | None = None,
        event: str | None = None,
        where: Mapping[str, str | int | bool | None] | None = None,
        *,
        from_height: int = 0,
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the events that are in the ledger, in its order.

        Args:
            contract: events of this contract only.
            event: events of this class only.
            where: fields and the values that they must have, byte strings as 0x and hexadecimal digits.
            from_height: first block to look at.
            after: identifier of the event after which to begin; goes before `from_height`.
            limit: how many at most.

        Yields:
            {id, height, position, index, time_ms, transaction_id, contract, name, fields}.
        """
        parameters = _event_parameters(contract, event, where) | {"from_height": str(from_height)}
        yield from pages(lambda page: self._get("/v1/events", parameters | page), INTEGER_MAX if limit is None else limit, after)

    def follow(
        self,
        contract: str | None = None,
        event: str | None = None,
        where: Mapping[str, str | int | bool | None] | None = None,
        *,
        from_height: int | None = None,
        after: str | None = None,
        for_s: float | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield events as `events` does, then those to come, each once; a lost connection is made again.

        It goes on for ever, or for `for_s` seconds.

        Who keeps the `id` of the last event that was dealt with, and gives it as `after` next time, misses none; `from_height` and `after`
        left out, it begins with the next block.

        Raises:
            NodeUnreachableError: the node did not answer for the client's `timeout_s`.
        """
        parameters = _event_parameters(contract, event, where)
        if from_height is not None:
            parameters["from_height"] = str(from_height)
        yield from follow_stream(self._http, parameters, after or "", self._timeout_s, inf if for_s is None else for_s)

    def view(self, contract: str, view: str, /, **arguments: Value) -> Any:  # noqa: ANN401  # what the view returns, as JSON shows it
        """Run a view on the last block and return its result as JSON shows it.

        Raises:
            ViewRefusedError: the contract refused it; the error has the contract's code as `refusal`.
        """
        deadline = self._deadline()
        path = f"/v1/contracts/{contract}/views/{view}/cbor"
        return self._request("POST", path, deadline, content=encode(arguments), headers=_CBOR).get("result")

    def simulate(self, signers: Sequence[Member], calls: Sequence[Call], *, gas_limit: int = _GAS_LIMIT) -> dict[str, Any]:
        """Try calls out on the last block, as if members had signed them; nothing is signed, and nothing stays.

        Args:
            signers: the first is the sender.
            calls: in order; they succeed or fail together.
            gas_limit: bound of work and memory.

        Returns:
            code, call_index, gas_used, results, events, fault and changes, as JSON shows them, and the height of the state.
        """
        named = [[signer.organisation, signer.member] for signer in signers]
        body = encode([named, [[call.contract, call.action, call.arguments] for call in calls], gas_limit])
        return self._request("POST", "/v1/transactions/simulate", self._deadline(), content=body, headers=_CBOR)

    @property
    def webhooks(self) -> WebhookRegister:
        """The webhooks of the node."""
        return WebhookRegister(self._ask)

    def prove(self, subjects: Sequence[Mapping[str, Any]], height: int | None = None) -> bytes:
        """Return a proof bundle, not yet verified; see `yunhe.sdk.proofs` for the subjects."""
        deadline = self._deadline()
        return self._send("POST", "/v1/proofs", deadline, json={"subjects": list(subjects), "height": height}, refuse=True).content

    def block_record(self, height: int) -> bytes:
        """Return a block as the node stores it, everything that is needed to check it and to run it again (STO-003).

        Raises:
            BlockNotFoundError: there is no such block.
        """
        return self._send("GET", f"/v1/blocks/{height}/record", self._deadline(), refuse=True).content

    def checkpoint(self) -> str:
        """Return the newest checkpoint with the node's cosignature, as a signed note."""
        return self._send("GET", "/v1/checkpoint", self._deadline(), refuse=True).text

    # --- Requests ---------------------------------------------------------------------------------------------------

    def _pages(self, path: str, parameters: dict[str, str], limit: int) -> Iterator[dict[str, Any]]:
        yield from pages(lambda page: self._get(path, parameters | page), limit)

    def _deadline(self) -> float:
        return time.monotonic() + self._timeout_s

    def _get(self, path: str, parameters: dict[str, str] | None = None) -> dict[str, Any]:
        return self._request("GET", path, self._deadline(), params=parameters)

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  # httpx's options
        return self._send(method, path, self._deadline(), refuse=True, **options)

    def _request(self, method: str, path: str, deadline: float, **options: Any) -> dict[str, Any]:  # noqa: ANN401  # httpx's options
        return json_object(self._send(method, path, deadline, refuse=True, **options))

    def _send(self, method: str, path: str, deadline: float, *, refuse: bool = False, **options: Any) -> httpx.Response:  # noqa: ANN401
        """Send until an answer comes, the node refuses, or the deadline is over."""
        pause_s = _RETRY_FIRST_S
        while True:
            failure: YunheError
            try:
                left_s = max(0.05, deadline - time.monotonic())
                answer = self._http.request(method, path, timeout=left_s, **options)
                if not refuse or answer.is_success:
                    return answer
                raise_problem(answer)
            except (OverloadedError, UnavailableError) as error:
                failure = error
            except httpx.TransportError as error:
                failure = NodeUnreachableError(f"the node at {self._address} does not answer: {str(error) or type(error).__name__}")
                failure.__cause__ = error
            except (UnicodeEncodeError, httpx.InvalidURL) as error:
                raise MalformedError(f"a name, key or other text cannot be sent: {error}") from error
            except httpx.HTTPError as error:
                raise BadAnswerError(f"what answers at {self._address} cannot be read: {error}; is it a Yunhe node?") from error
            if time.monotonic() + pause_s >= deadline:
                raise failure
            if self._on_retry is not None:
                self._on_retry(failure)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _RETRY_MAX_S)


def _checked_address(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
        # Beyond what httpx checks when it takes an address, a name's labels are bounded, and a port is one of TCP.
        url.raw_host.decode("ascii").encode("idna")
    except (httpx.InvalidURL, UnicodeError) as error:
        raise InvalidAddressError(f"{address!r} is no address of a node: {error}") from error
    if url.scheme not in ("http", "https") or not url.host or "%" in url.host or (url.port or 1) > _PORT_MAX:
        raise InvalidAddressError(f"{address!r} is no address of a node, such as http://127.0.0.1:8440")
    return url


def _authorization(token: str) -> dict[str, str]:
    if not all("!" <= character <= "~" for character in token):
        raise TokenWrongError("the API token has characters that no token has; is it whole, and nothing else with it?")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _event_parameters(contract: str | None, event: str | None, where: Mapping[str, str | int | bool | None] | None) -> dict[str, str]:
    parameters = {"contract": contract, "event": event, "where": json.dumps(dict(where)) if where else None}
    return {name: value for name, value in parameters.items() if value is not None}


def _list_parameters(prefix: Key, by: str | Sequence[str], start: Key, end: Key, *, reverse: bool) -> dict[str, str]:
    fields = by if isinstance(by, str) else ",".join(by)
    bounds = {"prefix": prefix, "start": start, "end": end}
    return {"by": fields, "reverse": str(reverse).lower()} | {name: _key_text(key) for name, key in bounds.items() if key}


def _key_text(components: Key) -> str:
    return json.dumps(["0x" + c.hex() if isinstance(c, bytes) else c for c in components])
