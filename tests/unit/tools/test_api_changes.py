"""API-050: what the description of the API keeps."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from tools.reference.pages import openapi
from tools.tidy.api_changes import lost

KEPT = json.loads((Path(__file__).parents[2] / "fixtures" / "api" / "v1.json").read_text())
"""The description that callers rely on. It is replaced with each release, and before the first one when a stable route has to change."""


def test_stable_routes_are_only_added_to() -> None:
    """API-050."""
    assert lost(KEPT, openapi()) == []


ADDED = {
    "a route": lambda d: d["paths"].update({"/v1/more": {"get": {"x-yunhe-state": "stable", "responses": {}}}}),
    "a parameter": lambda d: d["paths"]["/v1/blocks"]["get"]["parameters"].append({"name": "x", "in": "query", "required": False}),
    "a field of an answer": lambda d: d["components"]["schemas"]["StatusBody"]["properties"].update({"more": {"type": "string"}}),
    "a field of a body": lambda d: d["components"]["schemas"]["WebhookRequest"]["properties"].update({"more": {"type": "string"}}),
    "a wider bound": lambda d: d["paths"]["/v1/blocks"]["get"]["parameters"][2]["schema"].update({"maximum": 10_000}),
    "a better text": lambda d: d["paths"]["/v1/blocks"]["get"].update({"description": "Return them."}),
    "another provisional route": lambda d: d["paths"].pop("/v1/transactions/simulate"),
}


@pytest.mark.parametrize("change", ADDED.values(), ids=ADDED)
def test_addition_loses_nothing(change) -> None:
    """API-050 accepted."""
    now = deepcopy(KEPT)
    change(now)
    assert lost(KEPT, now) == []


LOST = {
    "a route": (lambda d: d["paths"].pop("/v1/blocks"), "GET /v1/blocks: is gone"),
    "a parameter": (lambda d: d["paths"]["/v1/blocks"]["get"]["parameters"].pop(2), "the parameter limit is gone"),
    "a parameter's type": (
        lambda d: d["paths"]["/v1/blocks"]["get"]["parameters"][2]["schema"].update({"type": "string"}),
        "the parameter limit is of another kind",
    ),
    "a parameter's being optional": (
        lambda d: d["paths"]["/v1/blocks"]["get"]["parameters"][2].update({"required": True}),
        "the parameter limit is required now",
    ),
    "an answer": (lambda d: d["paths"]["/v1/blocks"]["get"]["responses"].pop("200"), "the answer 200 is another"),
    "a body": (lambda d: d["paths"]["/v1/transactions"]["post"]["requestBody"]["content"].pop("text/plain"), "bodies of text/plain"),
    "a type": (lambda d: d["components"]["schemas"].pop("HeaderBody"), "HeaderBody: is gone"),
    "a field": (lambda d: d["components"]["schemas"]["HeaderBody"]["properties"].pop("hash"), "HeaderBody: the field hash is gone"),
    "a field's type": (
        lambda d: d["components"]["schemas"]["HeaderBody"]["properties"]["height"].update({"type": "string"}),
        "the field height is of another kind",
    ),
    "a field's being there": (lambda d: d["components"]["schemas"]["HeaderBody"]["required"].remove("hash"), "hash can be missing now"),
    "a request's being whole": (
        lambda d: d["components"]["schemas"]["WebhookRequest"]["required"].append("contract"),
        "WebhookRequest: the field contract is required now",
    ),
}


@pytest.mark.parametrize(("change", "said"), LOST.values(), ids=LOST)
def test_loss_is_found(change, said) -> None:
    """API-050 refused."""
    now = deepcopy(KEPT)
    change(now)
    (found,) = lost(KEPT, now)
    assert said in found
