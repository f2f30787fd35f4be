"""The register of API tokens: API-030, API-032, API-033, API-034."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    YunheError,
)
from yunhe.limits import TOKEN_KEPT_MS, TOKENS_MAX
from yunhe.node import tokens
from yunhe.node.tokens import (
    OPERATE,
    OPERATOR,
    READ,
    SCOPES,
    SUBMIT,
    TOKENS_FILE,
    AccessTokens,
    create_token,
    read_tokens,
    revoke_token,
)

NOW_MS = 1_000_000
HOUR_MS = 3_600_000


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    return tmp_path


@pytest.fixture
def access(folder: Path, clock: Clock) -> AccessTokens:
    return AccessTokens("operator's own", folder, clock)


def made(folder: Path, name: str = "app", scopes: tuple[str, ...] = (READ,), now_ms: int = NOW_MS) -> bytes:
    return create_token(folder, name, scopes, HOUR_MS, now_ms)[1].encode()


def test_token_is_accepted_with_its_scopes_and_no_others(folder: Path, access: AccessTokens) -> None:
    """API-030, API-031: accepted for what it has, refused for what it has not."""
    caller = access.authenticate(made(folder, scopes=(SUBMIT, READ)))
    assert caller.name == "app"
    caller.require(READ)
    caller.require(SUBMIT)
    with pytest.raises(ScopeMissingError, match="operate"):
        caller.require(OPERATE)


def test_operators_token_has_all_scopes(access: AccessTokens) -> None:
    caller = access.authenticate(b"operator's own")
    assert (caller.name, caller.scopes) == (OPERATOR, frozenset(SCOPES))
    assert access.is_valid(caller)


def test_register_holds_the_hash_of_a_token_and_is_its_owners_alone(folder: Path) -> None:
    """API-030: what is stolen with the file lets nobody in."""
    text = made(folder)
    file = folder / TOKENS_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    secret = text.partition(b".")[2]
    assert len(secret) == 43
    assert secret not in file.read_bytes()
    assert json.loads(file.read_bytes())["tokens"][0]["digest"] == hashlib.sha256(text).hexdigest()


def test_tokens_of_one_name_and_time_differ(tmp_path: Path) -> None:
    """API-030: the secret comes from the system, not from what is known."""
    found = set()
    for number in range(20):
        folder = tmp_path / str(number)
        (folder / "secrets").mkdir(parents=True)
        found.add(made(folder))
    assert len(found) == 20


@pytest.mark.parametrize("name", ["", "a" * 33, "App", "a.b", "a b", "-a", "名", OPERATOR, "a\n"])
def test_name_that_is_none_is_refused(folder: Path, name: str) -> None:
    """API-030 refused."""
    with pytest.raises(MalformedError):
        made(folder, name)
    assert not (folder / TOKENS_FILE).exists()


@pytest.mark.parametrize("scopes", [(), ("write",), (READ, "")])
def test_scopes_that_are_none_are_refused(folder: Path, scopes: tuple[str, ...]) -> None:
    """API-030 refused."""
    with pytest.raises(MalformedError):
        made(folder, scopes=scopes)


def test_token_that_was_never_given_out_is_refused(folder: Path, access: AccessTokens) -> None:
    """API-032 refused: an unknown name and a wrong secret are told apart by nobody."""
    text = made(folder)
    messages = set()
    for wrong in (b"", b"app", b"app.", text[:-1], text + b"x", b"other" + text[3:], text.upper(), b"\xff\xfe", b"operator"):
        with pytest.raises(TokenWrongError) as refused:
            access.authenticate(wrong)
        messages.add(refused.value.message)
    assert len(messages) == 1


def test_token_is_refused_from_its_end_on(folder: Path, access: AccessTokens, clock: Clock) -> None:
    """API-032: accepted in the last millisecond, refused in the next."""
    text = made(folder)
    clock.now_ms = NOW_MS + HOUR_MS - 1
    caller = access.authenticate(text)
    assert access.is_valid(caller)
    clock.now_ms += 1
    with pytest.raises(TokenExpiredError):
        access.authenticate(text)
    assert not access.is_valid(caller)


def test_revoked_token_is_refused_at_once(folder: Path, access: AccessTokens, clock: Clock) -> None:
    """API-033: by the register that was open before; others stay."""
    text, other = made(folder), made(folder, "other")
    caller = access.authenticate(text)
    revoke_token(folder, "app", NOW_MS + 5)
    with pytest.raises(TokenRevokedError):
        access.authenticate(text)
    assert not access.is_valid(caller)
    assert access.authenticate(other).name == "other"
    # Revoked it stays, also when its time is over, and the time of its revocation with it.
    clock.now_ms = NOW_MS + 2 * HOUR_MS
    assert revoke_token(folder, "app", clock.now_ms).revoked_ms == NOW_MS + 5
    with pytest.raises(TokenRevokedError):
        access.authenticate(text)


def test_only_the_holder_of_a_token_learns_what_became_of_it(folder: Path, access: AccessTokens) -> None:
    """API-032 refused: by the name alone a revoked token is like one that never was."""
    made(folder)
    revoke_token(folder, "app", NOW_MS)
    with pytest.raises(TokenWrongError):
        access.authenticate(b"app.guess")


def test_unknown_token_cannot_be_revoked(folder: Path) -> None:
    with pytest.raises(TokenNotFoundError):
        revoke_token(folder, "app", NOW_MS)


def test_name_means_one_token_until_it_is_forgotten(folder: Path) -> None:
    """API-034: refused while the register has it, accepted when the audit of the old one is long past."""
    made(folder)
    revoke_token(folder, "app", NOW_MS)
    for now_ms in (NOW_MS, NOW_MS + TOKEN_KEPT_MS - 1):
        with pytest.raises(TokenExistsError):
            made(folder, now_ms=now_ms)
    made(folder, now_ms=NOW_MS + TOKEN_KEPT_MS)
    assert [token.revoked_ms for token in read_tokens(folder)] == [None]


def test_register_that_is_full_takes_no_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """API-034 refused; and the largest register is one that can be read."""
    monkeypatch.setattr(tokens, "TOKENS_MAX", 2)
    made(folder, "a")
    made(folder, "b")
    with pytest.raises(TokensFullError):
        made(folder, "c")
    line = len((folder / TOKENS_FILE).read_bytes())
    assert line / 2 * 2 * TOKENS_MAX < tokens.TOKENS_BYTES_MAX


def test_removed_register_ends_all_tokens_but_the_operators(folder: Path, access: AccessTokens) -> None:
    """API-033."""
    text = made(folder)
    access.authenticate(text)
    (folder / TOKENS_FILE).unlink()
    with pytest.raises(TokenWrongError):
        access.authenticate(text)
    assert access.authenticate(b"operator's own").name == OPERATOR


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"format": "yunhe-tokens", "version": 2, "tokens": []}',
        b'{"format": "yunhe-tokens", "version": 1, "tokens": [{}]}',
        b'{"format": "yunhe-tokens", "version": 1, "tokens": 5}',
        b"[" * 100_000,
    ],
)
def test_register_that_is_none_lets_nobody_in_but_the_operator(folder: Path, access: AccessTokens, clock: Clock, content: bytes) -> None:
    """API-033 refused: neither a running node nor one that starts guesses; put back, it counts again."""
    text = made(folder)
    caller = access.authenticate(text)
    good = (folder / TOKENS_FILE).read_bytes()
    (folder / TOKENS_FILE).write_bytes(content)
    with pytest.raises(TokensUnreadableError):
        access.authenticate(text)
    assert not access.is_valid(caller)
    assert access.authenticate(b"operator's own").name == OPERATOR
    with pytest.raises(TokensUnreadableError):
        AccessTokens("operator's own", folder, clock)
    with pytest.raises(TokensUnreadableError):
        made(folder, "other")
    (folder / TOKENS_FILE).write_bytes(good)
    assert access.authenticate(text).name == "app"


@pytest.mark.parametrize(
    ("field", "value"),
    [("scopes", ["all"]), ("expires_ms", "never"), ("expires_ms", True), ("revoked_ms", 1.5), ("name", 5), ("digest", None)],
)
def test_register_with_a_wrong_field_is_refused(folder: Path, clock: Clock, field: str, value: object) -> None:
    """API-033 refused."""
    made(folder)
    register = json.loads((folder / TOKENS_FILE).read_bytes())
    register["tokens"][0][field] = value
    (folder / TOKENS_FILE).write_text(json.dumps(register))
    with pytest.raises(TokensUnreadableError):
        AccessTokens("operator's own", folder, clock)


@given(st.binary(max_size=200))
def test_any_bytes_give_one_of_our_refusals(presented: bytes) -> None:
    with pytest.raises(YunheError):
        AccessTokens("operator's own, which is long enough not to be guessed", None, Clock()).authenticate(presented)


def test_folder_that_is_no_nodes_gets_no_token(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigurationError, match="folder of a node"):
        made(tmp_path)
