"""What people are shown: aligned, whole, and unable to steer their terminal."""

import json

import pytest

from yunhe.cli.output import Output, fields, table, utc

TIME_MS = 1_700_000_001_002


def test_fields_leave_out_what_is_empty_at_the_top_only() -> None:
    shown = fields({"code": "OK", "reason": None, "events": [], "remarks": (), "record": {"to": None, "ends": False}})
    assert shown == "code    OK\nrecord  to    null\n        ends  false"


def test_fields_show_maps_lists_and_times_as_people_read_them() -> None:
    value = {"time_ms": TIME_MS, "approved_by": ["port", "carrier"], "keys": [{"suite": "a", "since": 10}, {"suite": "bcd", "since": 2}]}
    assert fields(value).splitlines() == [
        "time_ms      1700000001002 (2023-11-14 22:13:21.002 UTC)",
        "approved_by  port",
        "             carrier",
        "keys         suite  since",
        "             a      10",
        "             bcd    2",
    ]


def test_time_beyond_the_calendar_is_shown_as_a_number() -> None:
    assert utc(2**63) == f"{2**63} ms after 1970-01-01 UTC"


def test_table_cuts_nothing_off_and_counts_wide_characters_as_two() -> None:
    assert table(["title", "hash"], [["运河", "a" * 200], ["port", "b"]]).splitlines() == ["title  hash", "运河   " + "a" * 200, "port   b"]


@pytest.mark.parametrize("hostile", ["\x1b", "\r", "\u202e", "\x85"])
def test_record_cannot_steer_the_terminal(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    Output().fields({"title": f"a{hostile}b"})
    assert capsys.readouterr().out == f"title  a\\u{ord(hostile):04x}b\n"


def test_text_with_a_line_end_stays_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    Output().fields({"title": "port\nstatus  active"})
    assert capsys.readouterr().out == "title  port\\nstatus  active\n"


def test_text_that_looks_like_markup_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Output().fields({"title": "[bold]port[/bold]"})
    assert capsys.readouterr().out == "title  [bold]port[/bold]\n"


def test_json_is_whole_and_unaltered(capsys: pytest.CaptureFixture[str]) -> None:
    output, value = Output(), {"title": "a\x1b[2Jb", "reason": None, "time_ms": TIME_MS}
    output.json = True
    output.fields(value)
    assert json.loads(capsys.readouterr().out) == value
