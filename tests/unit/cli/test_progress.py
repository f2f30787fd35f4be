"""Long work says how far it is, and short work says little."""

import pytest

from yunhe.cli.progress import BlockProgress


def test_progress_is_told_once_a_second_and_at_the_end(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    progress = BlockProgress("checked")
    for done in range(1, 401):
        now += 0.01
        progress(done, 400)
    assert capsys.readouterr().err.splitlines() == [f"checked {done} of 400 blocks ({done // 4} %)" for done in (100, 200, 300, 400)]
