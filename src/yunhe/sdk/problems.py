"""Turns a node's `application/problem+json` back into the error that it was made of."""

from typing import Final, NoReturn

import httpx

from yunhe import errors
from yunhe.errors import BadAnswerError, RemoteRefusedError, UnavailableError, ViewRefusedError, YunheError


def _leaves(kind: type[YunheError]) -> list[type[YunheError]]:
    below = [leaf for child in kind.__subclasses__() for leaf in _leaves(child)]
    return [kind, *below] if f"{kind.__module__}.".startswith(f"{errors.__name__}.") and kind.__init__ is YunheError.__init__ else below


_BY_CODE: Final = {kind.code: kind for kind in _leaves(YunheError)}
_SERVER_ERROR: Final = 500


def raise_problem(answer: httpx.Response) -> NoReturn:
    """Raise the error that an answer tells of.

    Raises:
        YunheError: always; `RemoteRefusedError` for a code that is unknown here.
    """
    try:
        body = answer.json()
        code, detail = str(body["code"]), str(body["detail"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadAnswerError(f"the answer {answer.status_code} is not one of a Yunhe node") from error
    if code == ViewRefusedError.code and isinstance(body.get("refusal"), str):
        raise ViewRefusedError(body["refusal"], detail)
    kind = _BY_CODE.get(code)
    if kind is not None:
        raise kind(detail)
    if answer.status_code >= _SERVER_ERROR:
        raise UnavailableError(f"{code}: {detail}")
    raise RemoteRefusedError(f"{code}: {detail}")
