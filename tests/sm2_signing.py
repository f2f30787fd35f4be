"""SM2 signatures made from the standard alone (GB/T 32918.2 §6.1), with a nonce of the caller's choice; for tests, and for nothing else.

It imports nothing of Yunhe and takes its time by the secret.
"""

import hashlib
from typing import NamedTuple

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
SIGNER_ID = b"1234567812345678"


class Jacobian(NamedTuple):
    """The point (x/z², y/z³), at infinity if z is 0."""

    x: int
    y: int
    z: int


INFINITY = Jacobian(1, 1, 0)


def sm3(data: bytes) -> bytes:
    """Hash; by OpenSSL, which is no part of what is tested."""
    return hashlib.new("sm3", data).digest()


def double(a: Jacobian) -> Jacobian:
    """Two times a point."""
    if a.z == 0:
        return a
    m, s = 3 * (a.x - a.z * a.z) * (a.x + a.z * a.z) % P, 4 * a.x * a.y * a.y % P
    x = (m * m - 2 * s) % P
    return Jacobian(x, (m * (s - x) - 8 * pow(a.y, 4, P)) % P, 2 * a.y * a.z % P)


def add(a: Jacobian, b: Jacobian) -> Jacobian:
    """The sum of two points."""
    if a.z == 0 or b.z == 0:
        return b if a.z == 0 else a
    u1, u2 = a.x * b.z * b.z % P, b.x * a.z * a.z % P
    s1, s2 = a.y * pow(b.z, 3, P) % P, b.y * pow(a.z, 3, P) % P
    if u1 == u2:
        return double(a) if s1 == s2 else INFINITY
    h, r = (u2 - u1) % P, (s2 - s1) % P
    x = (r * r - h * h * h - 2 * u1 * h * h) % P
    return Jacobian(x, (r * (u1 * h * h - x) - s1 * h * h * h) % P, h * a.z * b.z % P)


def multiply(number: int, point: tuple[int, int] = G) -> tuple[int, int]:
    """[number]point, which must not be the point at infinity."""
    result, addend = INFINITY, Jacobian(*point, 1)
    while number:
        if number & 1:
            result = add(result, addend)
        addend, number = double(addend), number >> 1
    inverse = pow(result.z, -1, P)
    return result.x * inverse**2 % P, result.y * inverse**3 % P


def encode(point: tuple[int, int]) -> bytes:
    """0x04 ‖ X ‖ Y."""
    return b"\x04" + b"".join(number.to_bytes(32, "big") for number in point)


def public_key(secret: int) -> bytes:
    """The public key of a private one."""
    return encode(multiply(secret))


def signer_hash(key: bytes, signer_id: bytes = SIGNER_ID) -> bytes:
    """Z, for a public key."""
    curve = b"".join(number.to_bytes(32, "big") for number in (A, B, *G))
    return sm3((8 * len(signer_id)).to_bytes(2, "big") + signer_id + curve + key[1:])


def sign(secret: int, message: bytes, nonce: int = 0, signer_id: bytes = SIGNER_ID) -> bytes:
    """r ‖ s; without a nonce one that follows from secret and message."""
    e = int.from_bytes(sm3(signer_hash(public_key(secret), signer_id) + message), "big")
    k = nonce or int.from_bytes(sm3(secret.to_bytes(32, "big") + message), "big") % N
    r = (e + multiply(k)[0]) % N
    s = pow(1 + secret, -1, N) * (k - r * secret) % N
    if not r or not s or not (r + k) % N:
        raise ValueError("this nonce gives no signature; take another one")
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
