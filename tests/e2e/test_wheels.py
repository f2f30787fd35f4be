"""What users install: both wheels in a bare virtual environment do the main things, and need no file of the checkout for it."""

import json
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bare_environment import DEADLINE_S, make_bare
from tools.tidy.checkout import ROOT, tracked_paths

pytestmark = pytest.mark.timeout(400)
PACKAGES = {"src/yunhe": "yunhe", "apps/maritime/yunhe_maritime": "yunhe_maritime"}
"""Folders of the checkout that the package's wheel holds, and what they are there."""


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheels, and an empty folder to run in."""

    wheels: Path
    environment: Path
    work: Path

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        variables = {"PATH": f"{self.environment / 'bin'}:/usr/bin:/bin", "HOME": str(self.work), "LANG": "C.UTF-8"}
        return subprocess.run(
            command, cwd=self.work, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=DEADLINE_S
        )

    def output(self, *command: str) -> str:
        done = self.run(*command)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    wheels, environment, work = folder / "dist", folder / "bare", folder / "work"
    work.mkdir()
    make_bare(wheels, environment)
    return Installed(wheels, environment, work)


@pytest.fixture(scope="module")
def demo(installed: Installed) -> dict[str, str]:
    account: dict[str, str] = json.loads(installed.output("yunhe", "demo", "--json", "--keep", "demo"))
    return account


def _listing(wheels: Path, pattern: str) -> set[str]:
    (path,) = wheels.glob(pattern)
    with zipfile.ZipFile(path) as wheel:
        return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_guard_ends_a_program_that_opens_a_file_of_the_checkout(installed: Installed) -> None:
    done = installed.run("python", "-c", f"open({str(ROOT / 'README.md')!r})")
    assert (done.returncode, done.stderr) == (1, f"a file of the checkout: {ROOT / 'README.md'}\n")


def test_package_wheel_holds_every_file_of_the_packages_and_nothing_else(installed: Installed) -> None:
    tracked = {
        wheel_folder + path.removeprefix(folder)
        for folder, wheel_folder in PACKAGES.items()
        for path in tracked_paths()
        if path.startswith(f"{folder}/")
    }
    assert _listing(installed.wheels, "yunhe-*.whl") == tracked
    assert {"yunhe/py.typed", "yunhe/verifier.py", "yunhe_maritime/sample_document.json"} < tracked


def test_native_wheel_holds_the_library_with_its_types_and_nothing_else(installed: Installed) -> None:
    names = {"__init__.py", "_core.abi3.so", "_core.pyi", "py.typed"}
    assert _listing(installed.wheels, "yunhe_native-*.whl") == {f"yunhe_native/{name}" for name in names}


def test_installed_packages_are_found_in_the_environment_alone(installed: Installed) -> None:
    script = "import yunhe, yunhe_maritime, yunhe_native; print(yunhe.__file__, yunhe_maritime.__file__, yunhe_native.__file__, sep='\\n')"
    for place in installed.output("python", "-c", script).splitlines():
        assert Path(place).is_relative_to(installed.environment)


def test_installed_version_is_told(installed: Installed) -> None:
    (wheel,) = installed.wheels.glob("yunhe-*.whl")
    assert installed.output("yunhe", "--version") == f"yunhe {wheel.name.split('-')[1]}\n"


def test_installed_demo_leaves_a_proof_that_the_installed_verifier_accepts(installed: Installed, demo: dict[str, str]) -> None:
    proof = Path(demo["proof"])
    names = [str(proof / name) for name in ("proof.yunhe", "genesis.json", "document.json")]
    told = installed.output("yunhe", "proof", "verify", names[0], "--genesis", names[1], "--document", names[2])
    assert "VERIFIED" in told
    assert demo["bill_id"] in told


def test_installed_demo_leaves_a_node_that_is_whole(installed: Installed, demo: dict[str, str]) -> None:
    installed.output("yunhe", "node", "check", str(Path(demo["folder"]) / "node-moved-away"))


def test_installed_workbench_makes_a_contract_that_its_checker_accepts(installed: Installed) -> None:
    installed.output("yunhe", "contract", "new", "parcels")
    assert "accepted" in installed.output("yunhe", "contract", "check", "parcels/parcels.py")
