"""What is wrong with a node's folder and machine, told before it is found out by a refusal to start or by worse.

Each check looks at one thing, changes nothing and goes on where another one failed. A fault keeps the node from running or lets others act
as it; a warning is what an operator should know. The node may be running.
"""

import ctypes
import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import yunhe
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.errors import YunheError
from yunhe.limits import DISK_FREE_BYTES_MIN
from yunhe.node.config import FILE_NAME, resolve_config
from yunhe.node.engine_checks import engine_findings
from yunhe.node.finding import FAULT, OK, WARNING, Finding
from yunhe.node.folder import STORE_FOLDER, WEBHOOKS_FILE, NodeFolder
from yunhe.node.node import check_platform, clock_ms
from yunhe.node.tls_files import read_pair
from yunhe.node.tokens import TOKENS_FILE, read_tokens
from yunhe.sdk.local_node import TOKEN_FILE
from yunhe.storage import LogReader

_CERTIFICATE_DAYS_ADVISED: Final = 30
_DAY_MS: Final = 86_400_000
_DISK_FREE_ADVISED: Final = 5 * 2**30
_TIME_ERROR: Final = 5
_TIMEX_BYTES: Final = 208
"""`struct timex` of Linux on x86-64."""
_OTHERS: Final = 0o077
_WRITABLE_BY_OTHERS: Final = 0o022


def diagnose(
    path: Path,
    environment: Mapping[str, str],
    *,
    is_running: bool,
    now_ms: Callable[[], int] = clock_ms,
    is_synchronised: Callable[[], bool | None] | None = None,
) -> list[Finding]:
    """Look at everything that a node depends on.

    Args:
        path: the node's folder.
        environment: variables that may give settings.
        is_running: whether the node runs, and so has its port itself.
        now_ms: tells the time.
        is_synchronised: tells whether the system keeps the clock right, None when nobody knows; asks the kernel by default.
    """
    found = list(_versions())
    try:
        folder = NodeFolder.load(path, environment)
    except YunheError as error:
        return [*found, Finding("configuration", FAULT, error.message, "mend what the message names; the other checks need it")]
    origins = resolve_config(path / FILE_NAME, environment, {}).origins
    given = sorted(name for name, origin in origins.items() if origin.startswith("environment"))
    found.append(Finding("configuration", OK, f"read; from the environment: {', '.join(given) or 'nothing'}"))
    found += _keys(folder)
    found += _tokens(path)
    found += _modes(folder)
    found += _ledger(folder, now_ms())
    found.append(_clock((is_synchronised or clock_is_synchronised)()))
    found += _disk(path)
    found += _address(folder, is_running=is_running)
    found += _certificate(folder, now_ms())
    if folder.genesis.validators:
        found += engine_findings(folder, environment, is_running=is_running)
    found += _worker(folder)
    return found


def _versions() -> Iterator[Finding]:
    try:
        import yunhe_native  # noqa: PLC0415  # its absence is a finding
    except ImportError:
        yield Finding("versions", FAULT, "the native core is missing", "install yunhe-native of the same version (Linux, x86-64)")
        return
    if yunhe_native.__version__ != yunhe.__version__:
        found = f"yunhe is {yunhe.__version__}, yunhe-native {yunhe_native.__version__}"
        yield Finding("versions", FAULT, found, "install both of one version")
        return
    yield Finding("versions", OK, f"yunhe and yunhe-native {yunhe.__version__}")


def _keys(folder: NodeFolder) -> Iterator[Finding]:
    try:
        folder.load_keys()
    except YunheError as error:
        yield Finding("keys", FAULT, error.message, "put back the key files or the passphrase; only a vote gives the node other keys")
    else:
        yield Finding("keys", OK, "both open with the passphrase")


def _tokens(path: Path) -> Iterator[Finding]:
    try:
        count = len(read_tokens(path))
    except YunheError as error:
        yield Finding("tokens", FAULT, error.message, f"mend {TOKENS_FILE}, or remove it and give out new tokens")
    else:
        yield Finding("tokens", OK, f"{count} in the register")


def _modes(folder: NodeFolder) -> Iterator[Finding]:
    path = folder.path
    secret = [*(path / "keys").glob("*"), *(path / "secrets").glob("*"), path / folder.config.passphrase_file, path / WEBHOOKS_FILE]
    wrong = 0
    for file in sorted({file for file in secret if file.exists()}):
        status = file.stat()
        if status.st_mode & _OTHERS:
            wrong += 1
            found = f"{file} can be read or written by others ({stat.filemode(status.st_mode)})"
            yield Finding("file modes", FAULT, found, f"chmod 600 {file}; and if others had access to the machine, new keys and tokens")
    for place in (path, path / FILE_NAME, path / STORE_FOLDER):
        if place.exists() and place.stat().st_mode & _WRITABLE_BY_OTHERS:
            wrong += 1
            yield Finding("file modes", FAULT, f"{place} can be written by others", f"chmod go-w {place}")
    owner = path.stat().st_uid
    if owner != os.geteuid():
        wrong += 1
        found = f"{path} belongs to user {owner}, this is user {os.geteuid()}"
        yield Finding("file modes", WARNING, found, "run the node and its commands as the owner")
    if not wrong:
        yield Finding("file modes", OK, f"secrets in {path} are for its owner alone ({TOKEN_FILE} included)")


def _ledger(folder: NodeFolder, now_ms: int) -> Iterator[Finding]:
    """Look at the ledger that this version can read, and at the clock beside its last block."""
    try:
        check_platform(folder.genesis)
        with closing(LogReader.open(folder.path / STORE_FOLDER, folder.genesis)) as log:
            head = log.header(log.size - 1)
    except YunheError as error:
        yield Finding("ledger", FAULT, error.message, "`yunhe node check` reads every byte; a backup can be restored")
        return
    yield Finding("ledger", OK, f"height {head.height}, for CPython {folder.genesis.python}")
    if head.time_ms > now_ms:
        found = f"the clock is {head.time_ms - now_ms} ms before the time of the last block"
        yield Finding("clock", FAULT, found, "set the clock right; transactions are refused as too early or too late otherwise")


def _clock(is_synchronised: bool | None) -> Finding:  # a fact, not a switch
    if is_synchronised is None:
        return Finding("clock", WARNING, "the system does not say whether its clock is kept right", "look at the machine's time service")
    if not is_synchronised:
        return Finding("clock", WARNING, "the system says that its clock is not synchronised", "run a time service, such as chrony")
    return Finding("clock", OK, "synchronised")


def clock_is_synchronised() -> bool | None:
    """Return whether the kernel believes that its clock is kept right; None when it does not tell."""
    libc = ctypes.CDLL(None, use_errno=True)
    # All zero: a question, not a change.
    answer = libc.adjtimex((ctypes.c_char * _TIMEX_BYTES)())
    return None if answer < 0 else bool(answer != _TIME_ERROR)


def _disk(path: Path) -> Iterator[Finding]:
    if os.statvfs(path).f_flag & os.ST_RDONLY or not os.access(path / STORE_FOLDER, os.W_OK):
        yield Finding("disk", FAULT, f"{path} cannot be written", "mount the disk for writing, or see to the folder's rights")
    free = shutil.disk_usage(path).free
    if free < DISK_FREE_BYTES_MIN:
        yield Finding("disk", FAULT, f"{free} bytes are free, less than the largest block needs", "make room")
    elif free < _DISK_FREE_ADVISED:
        yield Finding("disk", WARNING, f"{free} bytes are free", "make room soon")
    else:
        yield Finding("disk", OK, f"{free} bytes are free")


def _address(folder: NodeFolder, *, is_running: bool) -> Iterator[Finding]:
    host, port = folder.config.host, folder.config.port
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if not is_running:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
    except OSError as error:
        yield Finding("port", FAULT, f"{host}:{port} cannot be listened on: {error.strerror}", "set another `host` or `port`")
        return
    if not ip_address(where[0]).is_loopback and not folder.config.tls_certificate:
        found = f"{host}:{port} is reached from other machines, by plain HTTP"
        advice = "set `tls_certificate` and `tls_key`, or let a proxy that speaks TLS stand before it and listen on 127.0.0.1"
        yield Finding("port", WARNING, found, advice)
        return
    yield Finding("port", OK, f"{host}:{port} is {'the running node' if is_running else 'free'}")


def _certificate(folder: NodeFolder, now_ms: int) -> Iterator[Finding]:
    try:
        if folder.tls_files is None:
            return
        certificate, key = folder.tls_files
        pair = read_pair(certificate, key)
    except YunheError as error:
        yield Finding("certificate", FAULT, error.message, "put a certificate and its key there; a running node keeps the pair before")
        return
    mode = key.stat().st_mode
    if mode & _OTHERS:
        yield Finding("certificate", FAULT, f"{key} can be read by others ({stat.filemode(mode)})", f"chmod 600 {key}")
        return
    days = (pair.expires_ms - now_ms) // _DAY_MS
    if days < 0:
        yield Finding("certificate", FAULT, "the certificate of the API has expired", "renew it; a running node takes it up by itself")
    elif days < _CERTIFICATE_DAYS_ADVISED:
        yield Finding("certificate", WARNING, f"the certificate of the API expires in {days} days", "renew it")
    else:
        yield Finding("certificate", OK, f"the certificate of the API expires in {days} days")


def _worker(folder: NodeFolder) -> Iterator[Finding]:
    try:
        worker = WorkerExecutor(folder.genesis.chain_hash)
    except YunheError as error:
        yield Finding("worker", FAULT, error.message, "run on Linux x86-64 with seccomp; SECURITY.md says what each protection needs")
        return
    missing = [name for name, is_on in worker.protections.items() if not is_on]
    worker.close()
    if missing:
        found = f"contracts run without {', '.join(missing)}"
        yield Finding("worker", WARNING, found, "a newer kernel or other rights give them; SECURITY.md says which")
    else:
        yield Finding("worker", OK, f"all protections are on: {', '.join(worker.protections)}")
