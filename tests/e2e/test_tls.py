"""API-023: a node that speaks TLS, takes up a renewed certificate while it runs, and keeps a good one when the files are spoiled."""

import datetime
import ipaddress
import json
import socket
import ssl
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.e2e.node_process import NodeProcess, wait_until, yunhe, yunhe_json
from yunhe.errors import NodeUnreachableError
from yunhe.sdk import Client
from yunhe.sdk.tls import trusting


class Authority:
    """Signs certificates for 127.0.0.1, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "consortium")])
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._signed(self._name, self._key, 3650, authority=True).public_bytes(serialization.Encoding.PEM))

    def issue(self, node: NodeProcess, days: int = 90) -> int:
        """Put a new certificate and key into a node's folder; return the certificate's serial number."""
        return self.issue_into(node.folder, days)

    def issue_into(self, folder: Path, days: int = 90) -> int:
        """Put a new certificate and key into a folder, each at once; return the certificate's serial number."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
        certificate = self._signed(name, key, days, authority=False)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        replace(folder / "tls.key", key.private_bytes(*form))
        replace(folder / "tls.pem", certificate.public_bytes(serialization.Encoding.PEM))
        return certificate.serial_number

    def _signed(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, days: int, *, authority: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
        return builder.sign(self._key, hashes.SHA256())


def replace(path: Path, data: bytes) -> None:
    partial = path.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_bytes(data)
    partial.replace(path)


@pytest.fixture
def authority(tmp_path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def node(tmp_path, authority):
    # Of national cryptography: what guards a connection is the same whatever the ledger's suites are.
    made = NodeProcess(tmp_path, "SM2 and SM3")
    settings = made.folder / "node.toml"
    text = (
        settings.read_text().replace('tls_certificate = ""', 'tls_certificate = "tls.pem"').replace('tls_key = ""', 'tls_key = "tls.key"')
    )
    settings.write_text(text)
    authority.issue(made)
    yield made
    made.close()


def presented(node: NodeProcess, authority: Authority, highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> int:
    """Shake hands, and return the serial number of the certificate that the node presents."""
    context = trusting(authority.file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = highest
    port = int(node.address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 10) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
        found = secure.getpeercert(binary_form=True)
    assert found is not None
    return x509.load_der_x509_certificate(found).serial_number


def test_api_023_clients_reach_a_node_by_tls_with_the_authority_or_the_folder_and_not_otherwise(node, authority) -> None:
    node.start()
    assert node.address.startswith("https://127.0.0.1:")
    with Client(node.address, node.token, tls=trusting(authority.file)) as client:
        assert client.status()["status"] == "running"
        sent = client.call(node.founder, "registry", "set_member", member="admin", roles=["admin"], status="active")
        assert sent.code == "OK"
    assert yunhe_json("node", "status", "--folder", str(node.folder))["status"] == "running"
    asked = ("--json", "node", "status", "--node", node.address, "--token-file", str(node.folder / "secrets" / "api-token"))
    assert yunhe(*asked, environment={"YUNHE_CA": str(authority.file)}).returncode == 0
    with Client(node.address, node.token, timeout_s=2) as client, pytest.raises(NodeUnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        client.status()
    with Client(node.address.replace("https", "http"), node.token, timeout_s=2) as client, pytest.raises(NodeUnreachableError):
        client.status()
    with pytest.raises(OSError, match=r"SSL|TLS|reset"):
        presented(node, authority, ssl.TLSVersion["TLSv1_1"])
    assert presented(node, authority, ssl.TLSVersion.TLSv1_2)
    node.stop()


def test_api_023_renewed_certificate_is_taken_up_and_a_spoiled_one_is_not(node, authority) -> None:
    node.start()
    with Client(node.address, node.token, tls=trusting(authority.file)) as client:
        client.status()
        renewed = authority.issue(node)
        wait_until(lambda: presented(node, authority) == renewed, "the renewed certificate")
        replace(node.folder / "tls.pem", b"spoiled")
        log = node.folder / "log" / "node.log"
        wait_until(lambda: "the certificate was not renewed" in log.read_text(), "the log's line")
        assert presented(node, authority) == renewed
        # The connection from before the renewal is still there.
        assert client.status()["status"] == "running"
        last = authority.issue(node)
        wait_until(lambda: presented(node, authority) == last, "the certificate after the spoiled one")
    node.stop()


def test_api_023_those_that_shake_no_hands_keep_nobody_out(node, authority) -> None:
    node.start()
    port = int(node.address.rpartition(":")[2])
    silent = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(100)]
    try:
        for connection in silent[:50]:
            connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert presented(node, authority)
    finally:
        for connection in silent:
            connection.close()
    node.stop()


def unusable(node: NodeProcess, authority: Authority) -> dict[str, tuple[str, str]]:
    """Ways in which the files are no pair, with the words that say so."""
    (node.folder / "other.key").write_bytes((node.folder / "tls.key").read_bytes())
    authority.issue(node)
    (node.folder / "text").write_text("text")
    return {
        "missing": ("nothing.pem", "tls.key"),
        "no certificate": ("text", "tls.key"),
        "no key": ("tls.pem", "text"),
        "another key": ("tls.pem", "other.key"),
    }


@pytest.mark.parametrize("fault", ["missing", "no certificate", "no key", "another key"])
def test_api_023_node_does_not_start_without_a_pair_and_doctor_says_why(node, authority, fault) -> None:
    certificate, key = unusable(node, authority)[fault]
    flags = ("--tls-certificate", certificate, "--tls-key", key)
    done = yunhe("--json", "node", "start", str(node.folder), *flags)
    assert (done.returncode, "CONFIGURATION_INVALID" in done.stderr) == (4, True)
    assert "Traceback" not in done.stderr
    settings = node.folder / "node.toml"
    settings.write_text(settings.read_text().replace('"tls.pem"', f'"{certificate}"').replace('"tls.key"', f'"{key}"'))
    found = {finding["check"]: finding["verdict"] for finding in doctor(node)}
    assert found["certificate"] == "fault"


def doctor(node: NodeProcess) -> list[dict[str, str]]:
    return list(json.loads(yunhe("--json", "doctor", str(node.folder)).stdout))


@pytest.mark.parametrize(("days", "mode", "verdict"), [(90, 0o600, "ok"), (10, 0o600, "warning"), (90, 0o644, "fault")])
def test_doctor_tells_of_the_certificate(node, authority, days, mode, verdict) -> None:
    authority.issue(node, days)
    (node.folder / "tls.key").chmod(mode)
    assert {finding["check"]: finding["verdict"] for finding in doctor(node)}["certificate"] == verdict


def test_certificate_without_key_is_refused(node) -> None:
    done = yunhe("--json", "node", "start", str(node.folder), "--tls-key", "")
    assert (done.returncode, "go together" in done.stderr) == (4, True)
