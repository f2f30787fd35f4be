"""The house style, as far as no ready-made linter knows it: `tools.tidy` run over the whole checkout."""

import sys
import tomllib
from collections import Counter
from functools import cache
from typing import Any

import pytest
from packaging.requirements import Requirement

import yunhe
from tools.tidy.checkout import ROOT, Source, sources, tracked_paths
from tools.tidy.locks import disagreements, listed, unhashed
from tools.tidy.purity import ambient_calls, floating_point, foreign_imports
from tools.tidy.references import dead_links, missing_documents
from tools.tidy.rules import TESTS_MIN, cited, definitions, enforced, tested
from tools.tidy.walls import FILE_LINES_MAX, FUNCTION_LINES_MAX, file_lengths, function_lengths, over_the_wall
from tools.tidy.wording import empty_names, machine_paths, open_promises, registry_hosts

VERIFIER = "src/yunhe/verifier.py"

FILE_RATCHET = {
    # One file on purpose: a third party reads it in one sitting, and runs it with nothing beside it.
    VERIFIER: 1164,
}
"""Files over the wall, with their length, each with its reason."""
FUNCTION_RATCHET: dict[str, int] = {}
"""Functions over the wall, with their length, each with its reason."""

FAMILIES = frozenset({"ABC", "API", "CER", "COD", "CON", "ENG", "EVT", "LED", "NET", "PRF", "STO", "SYS", "WIT"})
"""Families of rules; what looks like a rule of one of them must be defined in docs/spec."""

PURE = ("src/yunhe/ledger/", "src/yunhe/crypto/", "src/yunhe/contracts/", VERIFIER)
"""What decides state, or what a third party decides by."""
CONTRACT_WORKER = "src/yunhe/contracts/worker/"
"""Both ends of the contract worker: they wait for sockets and clocks, and decide nothing."""
JSON_NUMBERS = frozenset({"es6_number", "_finite_double"})
"""Functions of the verifier that read and write the numbers of a JSON document, which are doubles (RFC 8785)."""

OURS = frozenset({"yunhe", "yunhe_maritime", "yunhe_native"})
RE_EXPORTED = frozenset({"annotated_types", "pydantic_core", "starlette"})
"""What the documentation of pydantic and FastAPI tells their users to import."""
PACKAGES = {"protobuf": "google"}
"""Import packages of distributions that have another name."""


@cache
def _checkout() -> tuple[Source, ...]:
    return tuple(sources())


def _below(*prefixes: str) -> list[Source]:
    return [source for source in _checkout() if source.path.startswith(prefixes)]


def _code() -> list[Source]:
    talk = ("src/yunhe/errors/", "src/yunhe/limits.py")
    return [
        source
        for source in _below("src/", "apps/", "native/")
        if not source.path.startswith(talk) and not source.path.endswith("errors.py")
    ]


def _cases() -> list[Source]:
    return [source for source in _checkout() if source.path.startswith(("tests/", "native/")) or "/tests/" in source.path]


def _listing(findings: list[str]) -> str:
    return "\n" + "\n".join(findings)


def test_files_over_the_wall_are_none_but_the_recorded() -> None:
    findings = over_the_wall(file_lengths(_checkout()), FILE_LINES_MAX, FILE_RATCHET)
    assert not findings, _listing(findings)


def test_functions_over_the_wall_are_none_but_the_recorded() -> None:
    findings = over_the_wall(function_lengths(_checkout()), FUNCTION_LINES_MAX, FUNCTION_RATCHET)
    assert not findings, _listing(findings)


def _pure() -> list[Source]:
    return [source for source in _below(*PURE) if source.is_python() and not source.path.startswith(CONTRACT_WORKER)]


def test_pure_layers_have_no_floating_point() -> None:
    findings = [finding for source in _pure() for finding in floating_point(source, JSON_NUMBERS)]
    assert not findings, _listing(findings)


def test_pure_layers_call_nothing_that_depends_on_where_it_runs() -> None:
    # The verifier is a program as well: it opens the files it is given and prints what it found.
    findings = [finding for source in _pure() if source.path != VERIFIER for finding in ambient_calls(source)]
    assert not findings, _listing(findings)


def _import_contracts() -> list[dict[str, Any]]:
    contracts: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return contracts


def test_import_contracts_have_no_exceptions() -> None:
    assert not [contract["id"] for contract in _import_contracts() if contract.get("ignore_imports")]


def test_import_contract_of_the_pure_layers_lists_all_of_the_contract_runtime() -> None:
    (pure,) = (contract for contract in _import_contracts() if contract["id"] == "pure")
    listed_modules = {module for module in pure["source_modules"] if module.startswith("yunhe.contracts.")}
    parts = {
        source.path.removeprefix("src/yunhe/contracts/").split("/")[0].removesuffix(".py") for source in _below("src/yunhe/contracts/")
    }
    assert listed_modules == {f"yunhe.contracts.{part}" for part in parts - {"__init__", "worker"}}


def test_verifier_imports_the_standard_library_only() -> None:
    (verifier,) = _below(VERIFIER)
    findings = foreign_imports(verifier, sys.stdlib_module_names)
    assert not findings, _listing(findings)


def test_rules_are_defined_once() -> None:
    twice = [rule for rule, count in definitions(_below("docs/spec/")).items() if count > 1]
    assert not twice, _listing(twice)


def test_rules_cited_are_all_defined() -> None:
    defined = definitions(_below("docs/spec/"))
    strangers = set().union(*(cited(source.text, FAMILIES) for source in _checkout())) - defined.keys()
    assert not strangers, _listing(sorted(strangers))


def test_rules_are_all_of_a_known_family() -> None:
    strangers = {rule for rule in definitions(_below("docs/spec/")) if rule.partition("-")[0] not in FAMILIES}
    assert not strangers, _listing(sorted(strangers))


def test_rules_are_all_cited_where_they_are_enforced() -> None:
    uncited = definitions(_below("docs/spec/")).keys() - set().union(*(enforced(source, FAMILIES) for source in _code()))
    assert not uncited, _listing(sorted(uncited))


def test_rules_are_all_tested_by_acceptance_and_refusal() -> None:
    counts: Counter[str] = Counter()
    for source in _cases():
        counts += tested(source, FAMILIES)
    findings = [
        f"{rule} is cited by {counts[rule]} tests" for rule in sorted(definitions(_below("docs/spec/"))) if counts[rule] < TESTS_MIN
    ]
    assert not findings, _listing(findings)


@pytest.mark.parametrize("check", [machine_paths, registry_hosts], ids=lambda check: check.__name__)
def test_no_file_names_a_machine_or_a_registry(check) -> None:
    # Cargo writes its registry's name, not a host to fetch from, into its lock.
    findings = [finding for source in _checkout() if not source.path.endswith("Cargo.lock") for finding in check(source)]
    assert not findings, _listing(findings)


def test_documents_that_are_named_exist() -> None:
    paths = frozenset(tracked_paths())
    findings = [finding for source in _checkout() for finding in missing_documents(source, paths)]
    assert not findings, _listing(findings)


def test_links_between_documents_lead_to_a_file_and_a_heading() -> None:
    pages = [source for source in _checkout() if source.path.endswith(".md")]
    findings = dead_links(pages, tracked_paths())
    assert not findings, _listing(findings)


def test_decisions_are_numbered_one_after_the_other_and_open_with_their_number() -> None:
    decisions = sorted(_below("docs/adr/"), key=lambda source: source.path)
    wrong = [
        source.path
        for number, source in enumerate(decisions, 1)
        if not (source.path.startswith(f"docs/adr/{number:04d}-") and source.text.startswith(f"# {number:04d} "))
    ]
    assert not wrong, _listing(wrong)


def test_no_file_has_a_name_without_an_idea() -> None:
    findings = [finding for path in tracked_paths() for finding in empty_names(path)]
    assert not findings, _listing(findings)


def test_no_code_promises_without_a_condition() -> None:
    findings = [finding for source in _checkout() if source.path.endswith((".py", ".rs", ".pyi")) for finding in open_promises(source)]
    assert not findings, _listing(findings)


def test_locks_agree_with_their_lists_and_each_other() -> None:
    lists = {path.stem: path.read_text() for path in (ROOT / "requirements").glob("*.in")}
    locks = {path.stem: path.read_text() for path in (ROOT / "requirements").glob("*.txt")}
    # The runtime list has no lock of its own: the build lock includes it.
    findings = disagreements(lists, {**locks, "runtime": locks["build"]})
    findings += [f"{stem}: {pin} has no hash" for stem, text in locks.items() for pin in unhashed(text)]
    assert not findings, _listing(findings)


def test_runtime_list_is_what_the_package_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {str(Requirement(text)) for text in project["dependencies"] if Requirement(text).name != "yunhe-native"}
    assert listed((ROOT / "requirements/runtime.in").read_text()) == declared


def test_imports_and_declared_dependencies_are_the_same() -> None:
    names = [Requirement(line).name for line in listed((ROOT / "requirements/runtime.in").read_text())]
    declared = {PACKAGES.get(name, name.replace("-", "_")) for name in names}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    known = OURS | RE_EXPORTED | sys.stdlib_module_names
    product = [source for source in _below("src/", "apps/") if source.is_python() and "/tests/" not in source.path]
    for_authors = [source for source in product if source.path.startswith(("src/yunhe/testing/", "src/yunhe/pytest_plugin.py"))]
    testing = {Requirement(line).name for line in extras["testing"]}
    findings = [finding for source in product if source not in for_authors for finding in foreign_imports(source, known | declared)]
    findings += [finding for source in for_authors for finding in foreign_imports(source, known | declared | testing)]
    assert not findings, _listing(findings)
    used = {finding.rpartition(" ")[2].partition(".")[0] for source in product for finding in foreign_imports(source, known)}
    assert used == declared | testing


def test_versions_are_one_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    native = tomllib.loads((ROOT / "native/binding/pyproject.toml").read_text())["project"]
    workspace = tomllib.loads((ROOT / "native/Cargo.toml").read_text())["workspace"]["package"]
    (pin,) = (Requirement(text) for text in project["dependencies"] if Requirement(text).name == "yunhe-native")
    versions = {project["version"], yunhe.__version__, native["version"], workspace["version"], str(pin.specifier).removeprefix("==")}
    assert versions == {project["version"]}
