"""Nodes for end-to-end tests: one that a module shares, and one for a test that stops or breaks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.node_process import NodeProcess


@pytest.fixture(scope="module")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    node = NodeProcess(tmp_path_factory.mktemp("shared")).start()
    yield node
    node.close()


@pytest.fixture
def own_node(tmp_path: Path) -> Iterator[NodeProcess]:
    node = NodeProcess(tmp_path).start()
    yield node
    node.close()
