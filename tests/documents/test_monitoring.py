"""Dashboard, alert rules and guide name metrics that a node has, and the guide names them all."""

import json
import re
from typing import Any

import pytest
import yaml

from tools.tidy.checkout import ROOT
from yunhe.node.metrics import Metrics, Reading

NAME = re.compile(r"\b(?:yunhe|process)_[a-z_]+\b")


def names() -> dict[str, set[str]]:
    """Return the names that Prometheus knows, with the labels of each."""
    metrics = Metrics()
    metrics.read_from(
        lambda: Reading("running", 1, 1, 1, {"blocks": 0}, {"running": 0}, 0, {"blocks": 0}, 0),
    )
    metrics.watch_queue("block", lambda: 0)
    metrics.count_answer("GET", "/", 200, 0.1)
    found: dict[str, set[str]] = {}
    for family in metrics.families():
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                found.setdefault(sample.name, set()).update(sample.labels)
    return found


def expressions() -> list[str]:
    rules: dict[str, Any] = yaml.safe_load((ROOT / "ops/yunhe-alerts.yml").read_text(encoding="utf-8"))
    dashboard = json.loads((ROOT / "ops/grafana-dashboard.json").read_text(encoding="utf-8"))
    found = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    found += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return found + [variable["query"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"]


@pytest.mark.parametrize("expression", expressions())
def test_metrics_and_labels_of_dashboard_and_alerts_exist(expression: str) -> None:
    known = names()
    used = set(NAME.findall(expression))
    assert used <= known.keys()
    assert used or expression.startswith("up{")
    labels = set(re.findall(r'(\w+)=~?"', expression))
    of_them = set().union(*(known[name] for name in used)) | {"instance", "job"}
    assert labels <= of_them
    for grouped in re.findall(r"by \(([^)]*)\)", expression):
        assert {label.strip() for label in grouped.split(",")} <= of_them


def test_guide_names_every_metric_and_no_other() -> None:
    guide = (ROOT / "docs/guides/monitor.md").read_text(encoding="utf-8")
    known = {name for name in names() if name.startswith("yunhe_")}
    bases = {re.sub(r"_(bucket|count|sum)$", "", name) for name in known}
    assert {name for name in NAME.findall(guide) if name.startswith("yunhe_")} == bases


def test_guide_says_what_to_do_about_every_alert() -> None:
    guide = (ROOT / "docs/guides/monitor.md").read_text(encoding="utf-8")
    rules: dict[str, Any] = yaml.safe_load((ROOT / "ops/yunhe-alerts.yml").read_text(encoding="utf-8"))
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert set(re.findall(r"`(Yunhe[A-Za-z]+)`", guide)) == alerts
