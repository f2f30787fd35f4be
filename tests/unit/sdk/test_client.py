"""The client refuses what cannot be an address or a token before it sends anything."""

import pytest

from yunhe.errors import InvalidAddressError, TokenWrongError
from yunhe.sdk import Client

ADDRESS = "http://127.0.0.1:8440"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost:8440",
        "ftp://localhost",
        "http://",
        "http://[::1",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:port",
        "http://127.0.0.1/\x00",
        "http://two words",
        "http://\udcff",
        "http://" + "a" * 300,
    ],
)
def test_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InvalidAddressError, match="is no address of a node"):
        Client(address)


@pytest.mark.parametrize("address", [ADDRESS, "https://node.example/ledger", "http://[::1]:8440", "http://运河.example"])
def test_address_is_taken(address: str) -> None:
    Client(address).close()


@pytest.mark.parametrize("token", ["two words", "line\n", "line\r\nX-Header: y", "é", "\udcff", "\x00"])
def test_token_that_no_header_can_carry_is_refused(token: str) -> None:
    with pytest.raises(TokenWrongError, match="no token has"):
        Client(ADDRESS, token)
