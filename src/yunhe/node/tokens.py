"""Who may ask a node for what: its API tokens, each with a name, scopes and an end.

A token is `name.secret`, the secret being 256 random bits. The node keeps its SHA-256 and no more: a random secret of that length needs no
slow hash. The register is one file in the node's folder, which the command line changes and a running node reads again when it is another
one. The operator's own token, in a file beside it, has all scopes and is not in the register (docs/adr/0014-access.md).

Rules: docs/spec/http.md, "Access" (API-030 to API-034).
"""

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import structlog

from yunhe.errors import (
    InvalidConfigurationError,
    MalformedError,
    ScopeMissingError,
    TokenExistsError,
    TokenExpiredError,
    TokenNotFoundError,
    TokenRevokedError,
    TokensFullError,
    TokensUnreadableError,
    TokenWrongError,
)
from yunhe.limits import TOKEN_KEPT_MS, TOKENS_BYTES_MAX, TOKENS_MAX
from yunhe.storage import files

READ: Final = "read"
"""Queries, views, proofs, events, simulation, status."""
SUBMIT: Final = "submit"
"""Handing in transactions."""
OPERATE: Final = "operate"
"""Changing how the node works: webhooks."""
AUDIT: Final = "audit"
"""Seeing how the node is run: metrics."""
SCOPES: Final = (READ, SUBMIT, OPERATE, AUDIT)
"""All scopes; none includes another."""
OPERATOR: Final = "operator"
"""Name of the token in the node's folder, which has all scopes."""
TOKENS_FILE: Final = "secrets/tokens.json"
_LOCK_FILE: Final = "secrets/tokens.lock"
_FORMAT: Final = {"format": "yunhe-tokens", "version": 1}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_SECRET_BYTES: Final = 32
_FILE_MODE: Final = 0o600
_ADVICE: Final = "; put back the file that was there, or remove it, which ends all tokens but the operator's"

_log = structlog.get_logger("yunhe.node")


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the register has it."""

    name: str
    digest: str
    """SHA-256 of the token, in hexadecimal."""
    scopes: tuple[str, ...]
    created_ms: int
    expires_ms: int
    """From this time on it is refused."""
    revoked_ms: int | None = None

    def state(self, now_ms: int) -> str:
        """Return `active`, `expired` or `revoked`."""
        if self.revoked_ms is not None:
            return "revoked"
        return "expired" if now_ms >= self.expires_ms else "active"

    def ended_ms(self) -> int:
        """Return when it ended or will end."""
        return self.expires_ms if self.revoked_ms is None else min(self.revoked_ms, self.expires_ms)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who presented a token that is valid."""

    name: str
    digest: str
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Let the caller do what needs a scope.

        Raises:
            ScopeMissingError: the token does not have it.
        """
        # API-031
        if scope not in self.scopes:
            raise ScopeMissingError(f"this needs a token with the scope {scope}; `yunhe token create` on the node's machine makes one")


class AccessTokens:
    """The tokens that a running node accepts."""

    def __init__(self, operator: str, folder: Path | None, clock: Callable[[], int]) -> None:
        """Read the register for the first time.

        Args:
            operator: the operator's own token.
            folder: of the node; without one there is no other token than the operator's.
            clock: tells the time, milliseconds since 1970-01-01 UTC.

        Raises:
            TokensUnreadableError: the register cannot be used.
        """
        self._operator = Caller(OPERATOR, _digest(operator.encode()), frozenset(SCOPES))
        self._path = None if folder is None else folder / TOKENS_FILE
        self._clock = clock
        self._seen: tuple[int, int, int] | None = None
        self._tokens: Mapping[str, Token] = {}
        self._is_unreadable = False
        self._current()

    def authenticate(self, presented: bytes) -> Caller:
        """Return who presents a token.

        Raises:
            TokenWrongError: the node never gave it out.
            TokenRevokedError: it was revoked.
            TokenExpiredError: its time is over.
            TokensUnreadableError: it is not the operator's, and the register cannot be read.
        """
        digest = _digest(presented)
        if hmac.compare_digest(digest, self._operator.digest):
            return self._operator
        token = self._current().get(presented.partition(b".")[0].decode("ascii", "replace"))
        # API-032: the secret is compared first, so that only its holder learns what became of the token.
        if token is None or not hmac.compare_digest(digest, token.digest):
            raise TokenWrongError("this node knows no such token; `yunhe token create` on its machine makes one")
        state = token.state(self._clock())
        if state == "revoked":
            raise TokenRevokedError("the token was revoked; ask the node's operator for another one")
        if state == "expired":
            raise TokenExpiredError("the token has expired; ask the node's operator for another one")
        return Caller(token.name, token.digest, frozenset(token.scopes))

    def is_valid(self, caller: Caller) -> bool:
        """Return whether the token of a caller is still accepted (API-033)."""
        if caller == self._operator:
            return True
        try:
            token = self._current().get(caller.name)
        except TokensUnreadableError:
            return False
        return token is not None and token.digest == caller.digest and token.state(self._clock()) == "active"

    def _current(self) -> Mapping[str, Token]:
        """Return the tokens by name, read again when the register is another file than before (API-033)."""
        if self._path is None:
            return {}
        try:
            self._tokens = self._refreshed(self._path)
        except TokensUnreadableError as error:
            # A register that cannot be read lets nobody in.
            self._seen, self._tokens = None, {}
            if not self._is_unreadable:
                _log.error("tokens unreadable", reason=error.message)
            self._is_unreadable = True
            raise
        self._is_unreadable = False
        return self._tokens

    def _refreshed(self, path: Path) -> Mapping[str, Token]:
        try:
            now = _signature(path.stat())
        except FileNotFoundError:
            self._seen = None
            return {}
        except OSError as error:
            raise _unreadable(f"{path} cannot be read: {error.strerror}") from error
        if self._seen == now:
            return self._tokens
        self._seen, tokens = _read(path)
        return tokens


def create_token(folder: Path, name: str, scopes: Collection[str], lifetime_ms: int, now_ms: int) -> tuple[Token, str]:
    """Make a token and put it into the register of a node's folder; durable on return, and accepted by the running node.

    Args:
        folder: of the node.
        name: 1 to 32 of lower case letters, digits and `-`; it stands in the node's log.
        scopes: some of `SCOPES`.
        lifetime_ms: how long it is accepted, milliseconds.
        now_ms: milliseconds since 1970-01-01 UTC.

    Returns:
        What the register has of it, and the token itself, which is nowhere else.

    Raises:
        MalformedError: the name or a scope is none.
        TokenExistsError: the register has the name, be it that of a token that ended.
        TokensFullError: there are `TOKENS_MAX` already.
        TokensUnreadableError: the register cannot be used.
    """
    # API-030
    if _NAME.fullmatch(name) is None or name == OPERATOR:
        raise MalformedError(f"a token's name has 1 to 32 lower case letters, digits and hyphens, and is not {OPERATOR!r}")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise MalformedError(f"a token has one or more of the scopes {', '.join(SCOPES)}")
    text = f"{name}.{secrets.token_urlsafe(_SECRET_BYTES)}"
    token = Token(name, _digest(text.encode()), tuple(scope for scope in SCOPES if scope in scopes), now_ms, now_ms + lifetime_ms)
    with _locked(folder) as path:
        # API-034: a name that stands in recent lines of the node's log means one token.
        kept = [known for known in read_tokens(folder) if now_ms - known.ended_ms() < TOKEN_KEPT_MS]
        if any(known.name == name for known in kept):
            raise TokenExistsError(f"there is or was a token {name!r}; give the new one another name")
        if len(kept) >= TOKENS_MAX:
            raise TokensFullError(f"a node has at most {TOKENS_MAX} tokens, and keeps those that ended for a while")
        _write(path, [*kept, token])
    return token, text


def revoke_token(folder: Path, name: str, now_ms: int) -> Token:
    """End a token; durable on return, and refused by the running node.

    Raises:
        TokenNotFoundError: there is none of this name.
        TokensUnreadableError: the register cannot be used.
    """
    with _locked(folder) as path:
        tokens = read_tokens(folder)
        token = next((known for known in tokens if known.name == name), None)
        if token is None:
            raise TokenNotFoundError(f"there is no token {name!r}; `yunhe token list` shows all")
        if token.revoked_ms is None:
            token = replace(token, revoked_ms=now_ms)
            _write(path, [token if known.name == name else known for known in tokens])
        return token


def read_tokens(folder: Path) -> list[Token]:
    """Return the tokens of a node's folder, oldest first, with those that ended.

    Raises:
        TokensUnreadableError: the register cannot be used.
    """
    path = folder / TOKENS_FILE
    return list(_read(path)[1].values()) if path.exists() else []


def _digest(presented: bytes) -> str:
    return hashlib.sha256(presented).hexdigest()


def _signature(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_mtime_ns, status.st_size


@contextmanager
def _locked(folder: Path) -> Iterator[Path]:
    """Keep others from changing the register meanwhile; yields its path."""
    lock = folder / _LOCK_FILE
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, _FILE_MODE)
    except OSError as error:
        raise InvalidConfigurationError(f"{lock} cannot be opened: {error.strerror}; is {folder} the folder of a node?") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder / TOKENS_FILE
    finally:
        os.close(descriptor)


def _write(path: Path, tokens: list[Token]) -> None:
    text = json.dumps(_FORMAT | {"tokens": [asdict(token) for token in tokens]}, indent=1)
    files.replace(path, (text + "\n").encode(), _FILE_MODE)


def _read(path: Path) -> tuple[tuple[int, int, int], dict[str, Token]]:
    """Return which file it is, and the tokens by name."""
    try:
        with path.open("rb") as file:
            seen = _signature(os.fstat(file.fileno()))
            data = file.read(TOKENS_BYTES_MAX + 1)
    except OSError as error:
        raise _unreadable(f"{path} cannot be read: {error.strerror}") from error
    try:
        value = json.loads(data)
        if len(data) > TOKENS_BYTES_MAX or {name: value.get(name) for name in _FORMAT} != _FORMAT:
            raise ValueError("it is of another format")
        tokens = [_token(item) for item in value["tokens"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(f"{path} is no register of tokens: {error}") from error
    return seen, {token.name: token for token in tokens}


def _token(item: dict[str, Any]) -> Token:
    token = Token(**item | {"scopes": tuple(item["scopes"])})
    times = (token.created_ms, token.expires_ms, 0 if token.revoked_ms is None else token.revoked_ms)
    if not all(type(time) is int for time in times) or not all(type(text) is str for text in (token.name, token.digest)):
        raise ValueError("a field has the wrong type")
    if not set(token.scopes) <= set(SCOPES):
        raise ValueError("a scope is unknown")
    return token


def _unreadable(reason: str) -> TokensUnreadableError:
    return TokensUnreadableError(reason + _ADVICE)
