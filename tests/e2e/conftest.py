"""Nodes for end-to-end tests: one of each flavour that a module shares, one for a test that stops or breaks it, and a network of four."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.network_process import LocalNetwork
from tests.e2e.node_process import FLAVOURS, NodeProcess


@pytest.fixture(scope="module", params=FLAVOURS)
def shared_node(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[NodeProcess]:
    node = NodeProcess(tmp_path_factory.mktemp("shared"), request.param).start()
    yield node
    node.close()


@pytest.fixture
def own_node(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[NodeProcess]:
    """A node of the flavour that a test names as this fixture's parameter, else of the first."""
    node = NodeProcess(tmp_path, getattr(request, "param", next(iter(FLAVOURS)))).start()
    yield node
    node.close()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNetwork]:
    """A network that runs, which the tests of a module share."""
    network = LocalNetwork(tmp_path_factory.mktemp("network"))
    network.start()
    yield network
    network.close()
