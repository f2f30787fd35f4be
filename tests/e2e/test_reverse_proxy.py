"""docs/guides/reverse-proxy.md: what it tells operators to write works with a real nginx, streams of events and large bodies included."""

import re
import shutil
import socket
import subprocess
import threading

import httpx
import pytest

from tests.documents.fences import fences
from tests.e2e.node_process import DEADLINE_S, NodeProcess, wait_until
from tests.e2e.test_tls import Authority
from tools.tidy.checkout import ROOT
from yunhe.sdk import Client
from yunhe.sdk.tls import trusting

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
FRAME = """\
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
master_process off;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def proxied(tmp_path, own_node: NodeProcess):
    """A node behind nginx as the guide configures it; address, node and the authority of the proxy's certificate."""
    authority = Authority(tmp_path)
    authority.issue_into(tmp_path)
    (server,) = [fence.text for fence in fences((ROOT / "docs/guides/reverse-proxy.md").read_text()) if "proxy_pass" in fence.text]
    port = free_port()
    server = server.replace("8443", f"127.0.0.1:{port}").replace("http://127.0.0.1:8440", own_node.address)
    server = server.replace("/etc/ssl/node.pem", f"{tmp_path}/tls.pem").replace("/etc/ssl/node.key", f"{tmp_path}/tls.key")
    assert not re.search(r"8440|8443|/etc/", server)
    config = tmp_path / "nginx.conf"
    config.write_text(FRAME.format(folder=tmp_path, server=server))
    assert NGINX is not None
    process = subprocess.Popen([NGINX, "-c", str(config), "-p", str(tmp_path)], stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: process.poll() is None and reachable(port), "nginx")
        yield f"https://127.0.0.1:{port}", own_node, authority
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE_S)


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(NGINX is None, reason="nginx is not on this machine")
def test_node_behind_the_proxy_takes_transactions_and_streams_events_as_they_come(proxied) -> None:
    address, node, authority = proxied
    with Client(address, node.token, tls=trusting(authority.file)) as client:
        seen = threading.Event()

        def follow() -> None:
            with Client(address, node.token, tls=trusting(authority.file)) as following:
                for _ in following.follow(contract="registry"):
                    seen.set()
                    return

        reader = threading.Thread(target=follow, daemon=True)
        reader.start()
        sent = client.call(node.founder, "registry", "set_member", member="admin", roles=["admin"], status="active")
        assert sent.code == "OK"
        assert seen.wait(DEADLINE_S), "the event did not come through the proxy while its stream was open"
        answer = httpx.get(f"{address}/v1/health", headers={"X-Request-Id": "through-the-proxy"}, verify=trusting(authority.file))
        assert answer.headers["x-request-id"] == "through-the-proxy"
        large = httpx.post(
            f"{address}/v1/transactions",
            content=bytes(7 * 2**20),
            headers={"Authorization": f"Bearer {node.token}", "Content-Type": "application/cbor"},
            verify=trusting(authority.file),
        )
        assert large.json()["code"] in ("TOO_LARGE", "NOT_CANONICAL")
