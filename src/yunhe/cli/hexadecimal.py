"""Byte strings as people type them and nodes show them: hexadecimal digits, with or without `0x`."""


def from_hex(text: str) -> bytes:
    """Return the byte string of a text.

    Raises:
        ValueError: it is not hexadecimal; the caller knows what was wanted, and says so.
    """
    return bytes.fromhex(text.removeprefix("0x"))
