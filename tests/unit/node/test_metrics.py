"""Metrics: fixed series from the beginning, and none that a caller could make."""

from pathlib import Path

import pytest

from tests.unit.node.open_node import make_folder, run_node, transaction
from yunhe.node import Node
from yunhe.node.metrics import OUTCOMES, STAGES, Metrics, folder_bytes


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return the value of each series."""
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in metrics.families() for s in family.samples}


def test_series_of_fixed_sets_are_there_before_anything_happened() -> None:
    found = samples(Metrics())
    assert all(found["yunhe_transactions_total", (("outcome", outcome),)] == 0 for outcome in OUTCOMES)
    assert all(found["yunhe_stage_duration_seconds_count", (("stage", stage),)] == 0 for stage in STAGES)


def test_stage_that_fails_is_timed_and_its_error_goes_on() -> None:
    metrics = Metrics()
    with pytest.raises(KeyError), metrics.stage("commit"):
        raise KeyError
    assert samples(metrics)["yunhe_stage_duration_seconds_count", (("stage", "commit"),)] == 1


def test_method_that_a_stranger_made_up_makes_no_series() -> None:
    metrics = Metrics()
    for method in ("BREW", "FETCH"):
        metrics.count_answer(method, "", 405, 0.1)
    made = [labels for name, labels in samples(metrics) if name == "yunhe_http_requests_total"]
    assert made == [(("method", "other"), ("route", ""), ("status", "405"))]


def test_metrics_of_a_node_say_what_its_status_says(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "node")

    async def body(node: Node) -> None:
        def value(name: str, **labels: str) -> float:
            return samples(node.metrics)[name, tuple(labels.items())]

        assert value("yunhe_height") == 0
        node.start()
        await node.submit([transaction(node, "set_member", member="admin", roles=["admin"], status="active")])[0]
        await node.submit([transaction(node, "nonesuch", salt=1)])[0]
        assert value("yunhe_height") == node.status().height == 2
        assert value("yunhe_blocks_total") == 2
        assert value("yunhe_transactions_total", outcome="succeeded") == 1
        assert value("yunhe_transactions_total", outcome="failed") == 1
        assert value("yunhe_stage_duration_seconds_count", stage="execute") == 2
        assert value("yunhe_block_time_seconds") == node.status().time_ms / 1000
        assert value("yunhe_node_running") == 1
        assert value("yunhe_queue_depth", queue="block") == 0
        assert value("yunhe_webhooks", state="running") == 0
        assert value("yunhe_store_bytes", part="blocks") == folder_bytes(folder.path / "store" / "blocks") > 0
        for part in ("headers", "checkpoint", "certificates", "state"):
            assert value("yunhe_store_bytes", part=part) == folder_bytes(folder.path / "store" / part)
        assert value("yunhe_disk_free_bytes") > 0

    run_node(folder, body)


def test_worker_that_died_and_was_started_again_is_counted(tmp_path: Path) -> None:
    async def body(node: Node) -> None:
        node.start()
        assert node.executor.restarts == {"blocks": 0, "views": 0}
        node.executor.discard()
        await node.submit([transaction(node, "nonesuch")])[0]
        assert samples(node.metrics)["yunhe_worker_restarts", (("worker", "blocks"),)] == 1

    run_node(make_folder(tmp_path / "node"), body)


def test_size_of_a_folder_is_that_of_all_files_below_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(bytes(5))
    (tmp_path / "d").write_bytes(bytes(2))
    (tmp_path / "away").symlink_to(tmp_path / "nowhere")
    assert folder_bytes(tmp_path) == 7 + (tmp_path / "away").lstat().st_size
    assert folder_bytes(tmp_path / "none") == 0
