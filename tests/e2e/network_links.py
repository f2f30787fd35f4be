"""The links between the engines of a network, each through a small proxy of the tests, so that they can be parted, held up and slowed.

Every engine dials every other one through a port of this process, and nothing else of the network knows. It needs no rights and no tools of
the system, so partitions are tested on any machine. A link that is **cut** ends its connections and takes no others, as a firewall that
refuses; one that is **silent** takes bytes and passes none on until it is mended, as a cable that is pulled for a while.
"""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import Any

from tests.e2e.network_process import ORGANISATIONS, LocalNetwork
from yunhe.node.config import FILE_NAME, load_config
from yunhe.node.engine_home import engine_settings
from yunhe.storage import files

CHUNK_BYTES = 16 * 1024
IN_FLIGHT_CHUNKS = 64
"""On a slow link; then who sends has to wait."""


class Fault(Enum):
    """How a link fails."""

    CUT = auto()
    SILENT = auto()


class Link:
    """Both directions between two engines."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.passes = asyncio.Event()
        self.passes.set()
        self.delay_s = 0.0
        self.bytes_per_s = 0
        """0 for as many as there are."""
        self.writers: set[asyncio.StreamWriter] = set()

    def break_off(self) -> None:
        """End all connections."""
        for writer in self.writers:
            writer.transport.abort()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one direction of a connection until it ends."""
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT_CHUNKS)

        async def take() -> None:
            chunk = b"-"
            while chunk:
                chunk = await reader.read(CHUNK_BYTES)
                await chunks.put((loop.time() + self.delay_s, chunk))

        async def give() -> None:
            while True:
                due, chunk = await chunks.get()
                await self.passes.wait()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if self.bytes_per_s:
                    await asyncio.sleep(len(chunk) / self.bytes_per_s)
                if not chunk:
                    return
                writer.write(chunk)
                await writer.drain()

        try:
            # Of which neither outlives the other.
            async with asyncio.TaskGroup() as both:
                both.create_task(take())
                both.create_task(give())
        except* OSError:
            pass
        finally:
            writer.transport.abort()


class Links:
    """The links of a network; its event loop has a thread of its own."""

    def __init__(self, network: LocalNetwork) -> None:
        """Lead the connections of a network that does not run through links of its own."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)
        self._thread.start()
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._links: dict[frozenset[str], Link] = {}
        self._run(self._lead(network))

    def cut(self, *groups: Iterable[str]) -> None:
        """Part the network into groups that refuse one another."""
        self._run(self._part(groups, Fault.CUT))

    def silence(self, *groups: Iterable[str]) -> None:
        """Part the network into groups that do not hear one another; what they say comes when that is mended."""
        self._run(self._part(groups, Fault.SILENT))

    def slow(self, organisation: str, delay_s: float, bytes_per_s: int) -> None:
        """Let all that one engine hears and says take longer."""
        self._run(self._slow(organisation, delay_s, bytes_per_s))

    def mend(self) -> None:
        """Let all links work as they should."""
        self._run(self._mend())

    def close(self) -> None:
        """End all connections and the thread."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _lead(self, network: LocalNetwork) -> None:
        configs = {name: load_config(network.node(name) / FILE_NAME) for name in network.organisations}
        listens = {config.engine_listen: name for name, config in configs.items()}
        for name, config in configs.items():
            peers = []
            for peer in engine_settings(config).peers:
                link = self._links.setdefault(frozenset((name, listens[peer.address])), Link())
                peers.append(replace(peer, address=f"127.0.0.1:{await self._listen(link, peer.address)}"))
            _write_peers(network.node(name), peers)

    async def _listen(self, link: Link, address: str) -> int:
        host, _, port = address.rpartition(":")

        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            link.writers.add(writer)
            try:
                if link.fault is Fault.CUT:
                    return
                await link.passes.wait()
                with contextlib.suppress(OSError):
                    other_reader, other_writer = await asyncio.open_connection(host, int(port))
                    link.writers.add(other_writer)
                    try:
                        await asyncio.gather(link.pump(reader, other_writer), link.pump(other_reader, writer))
                    finally:
                        link.writers.discard(other_writer)
            except asyncio.CancelledError:
                # The tests are over.
                return
            finally:
                link.writers.discard(writer)
                writer.transport.abort()
                self._tasks.discard(task)

        server = await asyncio.start_server(connect, "127.0.0.1", 0)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _part(self, groups: tuple[Iterable[str], ...], fault: Fault) -> None:
        sides = [frozenset(group) for group in groups]
        for ends, link in self._links.items():
            if not any(ends <= side for side in sides):
                link.fault = fault
                if fault is Fault.CUT:
                    link.break_off()
                else:
                    link.passes.clear()

    async def _slow(self, organisation: str, delay_s: float, bytes_per_s: int) -> None:
        for ends, link in self._links.items():
            if organisation in ends:
                link.delay_s, link.bytes_per_s = delay_s, bytes_per_s

    async def _mend(self) -> None:
        for link in self._links.values():
            link.fault = None
            link.delay_s, link.bytes_per_s = 0.0, 0
            link.passes.set()

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for link in self._links.values():
            link.break_off()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class LinkedNetwork(LocalNetwork):
    """A network whose engines meet through links."""

    def __init__(self, home: Path, organisations: tuple[str, ...] = ORGANISATIONS) -> None:
        super().__init__(home, organisations)
        self.links = Links(self)

    def close(self) -> None:
        """End all processes, and the links."""
        super().close()
        self.links.close()


def _write_peers(node: Path, peers: Iterable[object]) -> None:
    changed = replace(load_config(node / FILE_NAME), engine_peers=",".join(map(str, peers)))
    files.replace(node / FILE_NAME, changed.to_toml().encode(), 0o644)
