"""Refusal codes where a contract writes them: in `require` and `refuse`, and in declarations of uniqueness.

Rule enforced: CON-060. Specification: docs/spec/contracts.md, "The subset".
"""

import ast
import re
from typing import Final

from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.vocabulary import REFUSAL_CODE_PATTERN, RESERVED_CODES

_CODE: Final = re.compile(REFUSAL_CODE_PATTERN, re.ASCII)
_INSTEAD: Final = 'write a literal like "NOT_HOLDER": A-Z, 0-9, _, at most 40 characters, a letter first'


def check_code(node: ast.expr, findings: Findings) -> None:
    """Check a refusal code."""
    # CON-060
    code = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(code, str):
        findings.on("CON-060", node, "the refusal code is no literal", _INSTEAD)
    elif not _CODE.fullmatch(code):
        findings.on("CON-060", node, f"{code[:40]!a} is not written as a refusal code", _INSTEAD)
    elif code in RESERVED_CODES:
        findings.on("CON-060", node, f"{code} is a code of the runtime", "choose another code")
