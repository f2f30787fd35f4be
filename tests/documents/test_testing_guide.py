"""The guide to tests has everything that `yunhe.testing` offers, and nothing else."""

import re

from tools.tidy.checkout import ROOT
from yunhe import testing


def test_guide_lists_every_name_of_the_testing_package() -> None:
    guide = (ROOT / "docs/guides/test-a-contract.md").read_text(encoding="utf-8")
    table = guide.partition("## Everything in `yunhe.testing`")[2]
    listed = [name for row in table.splitlines() if row.startswith("| `") for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(listed) == sorted(testing.__all__)
    assert all(hasattr(testing, name) for name in listed)
