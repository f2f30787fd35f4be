"""The page of the API for readers, made of its OpenAPI description (API-045).

It is one document without scripts, fonts, images or anything else from elsewhere, so it works where there is no other network than that of
the node. Every text of the description is escaped.
"""

import base64
import hashlib
import html
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from yunhe import errors
from yunhe.errors import YunheError
from yunhe.gateway.schema_words import Json, limits_in_words, parameter_in_words, type_in_words

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0b6e99; }
@media (prefers-color-scheme: dark) { :root { --accent: #6cc3e8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 0 1.25rem 4rem; max-width: 62rem; font: 16px/1.55 system-ui, sans-serif; }
h1 { margin: 2rem 0 0; } h2 { margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { margin: 2rem 0 .4rem; font: 600 1.05rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
a { color: var(--accent); } code, pre { font-family: ui-monospace, monospace; font-size: .92em; }
code { background: var(--soft); padding: .05em .3em; border-radius: .25em; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .7rem 1rem; border-radius: .4rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; } td:first-child { white-space: nowrap; }
.method { color: var(--accent); } .tag { border: 1px solid var(--line); border-radius: 1em; padding: .05em .6em; font-size: .85em; }
nav ul { columns: 2; column-gap: 2rem; padding-left: 1.1rem; } nav li { break-inside: avoid; overflow-wrap: anywhere; }
@media (max-width: 44rem) { nav ul { columns: 1; } }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final[Mapping[str, str]] = {
    # API-045: nothing is loaded and nothing runs, whatever a text may hold.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Headers of the page, beside its media type."""
_TAGS: Final = {
    "transactions": "Transactions",
    "ledger": "What was decided",
    "state": "Contract state",
    "events": "Events and webhooks",
    "node": "The node",
}
_QUOTED: Final = re.compile(r"`([^`]+)`")
_PLACE: Final = re.compile(r"\{(\w+)\}")


def api_page(document: Json) -> bytes:
    """Return the page, in UTF-8, of an OpenAPI document."""
    info = document["info"]
    operations = list(_operations(document))
    known = [tag for tag in _TAGS if any(tag in operation["tags"] for _, _, operation in operations)]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(info['title'])} API</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_text(info['title'])} API</h1><p>{_text(info.get('summary', ''))} Version {_text(info['version'])}.</p>",
        "<p>A request names its token: <code>Authorization: Bearer TOKEN</code>; <code>yunhe token create</code> makes one with the scope "
        'that a route needs. A refusal is a problem document with a <a href="#errors">code</a>. For programs: '
        '<a href="/openapi.json">openapi.json</a>.</p>',
        "<nav>",
        *(_contents(_TAGS[tag], [(m, p) for m, p, operation in operations if tag in operation["tags"]]) for tag in known),
        '<p><a href="#types">Types</a> · <a href="#errors">Errors</a></p></nav>',
    ]
    for tag in known:
        parts.append(f"<h2>{_TAGS[tag]}</h2>")
        parts += [_operation(m, p, operation) for m, p, operation in operations if tag in operation["tags"]]
    parts.append('<h2 id="types">Types</h2>')
    parts += [_type(name, schema) for name, schema in sorted(document.get("components", {}).get("schemas", {}).items())]
    parts.append('<h2 id="errors">Errors</h2>')
    parts.append(
        _table(["Code", "Status", "Meaning"], [(f"<code>{kind.code}</code>", str(kind.status), _meaning(kind)) for kind in _errors()])
    )
    return "\n".join([*parts, "</body></html>\n"]).encode()


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def _contents(title: str, routes: list[tuple[str, str]]) -> str:
    items = "".join(f'<li><a href="#{_anchor(m, p)}"><code>{m}</code> {html.escape(p)}</a></li>' for m, p in routes)
    return f"<p><strong>{title}</strong></p><ul>{items}</ul>"


def _operation(method: str, path: str, operation: Json) -> str:
    scopes = [scope for needed in operation.get("security", []) for names in needed.values() for scope in names]
    tags = [operation["x-yunhe-state"], f"scope {scopes[0]}" if scopes else "no token"]
    parameters = [
        (
            f"<code>{html.escape(item['name'])}</code>",
            item["in"] + (", required" if item.get("required") else ""),
            parameter_in_words(item, _kind),
            _about(item),
        )
        for item in operation.get("parameters", [])
    ]
    bodies = [
        (f"<code>{html.escape(media)}</code>", _kind(content.get("schema", {})))
        for media, content in operation.get("requestBody", {}).get("content", {}).items()
    ]
    answers = [
        (
            status,
            ", ".join(_kind(content.get("schema", {})) for content in answer.get("content", {}).values()),
            _text(answer["description"]),
        )
        for status, answer in sorted(operation["responses"].items())
    ]
    return "".join(
        (
            f'<section id="{_anchor(method, path)}"><h3><span class="method">{method}</span> {html.escape(path)}</h3>',
            "<p>" + " ".join(f'<span class="tag">{tag}</span>' for tag in tags) + "</p>",
            *(f"<p>{_text(part)}</p>" for part in operation.get("description", "").split("\n\n")),
            f"<pre>{html.escape(_example(method, path, operation, needs_token=bool(scopes)))}</pre>",
            _table(["Parameter", "In", "Type", "Meaning"], parameters),
            _table(["Body", "Type"], bodies),
            _table(["Status", "Answer", "Meaning"], answers),
            "</section>",
        )
    )


def _example(method: str, path: str, operation: Json, *, needs_token: bool) -> str:
    """Return a command that asks the route, with names in capitals to be replaced."""
    query = [
        f"{item['name']}={item['name'].upper()}"
        for item in operation.get("parameters", [])
        if item.get("required") and item["in"] == "query"
    ]
    url = "$NODE" + _PLACE.sub(lambda place: place[1].upper(), path) + ("?" + "&".join(query) if query else "")
    media = next(iter(operation.get("requestBody", {}).get("content", {})), None)
    words = ["curl", *([] if method == "GET" else ["-X", method]), *(['-H "Authorization: Bearer $TOKEN"'] if needs_token else [])]
    words += [] if media is None else [f'-H "Content-Type: {media}"', "--data-binary @BODY"]
    return " ".join([*words, f'"{url}"'])


def _type(name: str, schema: Json) -> str:
    required = set(schema.get("required", []))
    rows = [
        (f"<code>{html.escape(field)}</code>{'' if field in required else ' (optional)'}", _kind(about), _about(about))
        for field, about in schema.get("properties", {}).items()
    ]
    said = f"<h3>{html.escape(name)}</h3><p>{_text(schema.get('description', ''))}</p>"
    return f'<section id="{_type_anchor(name)}">{said}{_table(["Field", "Type", "Meaning"], rows)}</section>'


def _kind(schema: Json) -> str:
    return type_in_words(schema, _type_link, _code, html.escape)


def _about(item: Json) -> str:
    text = _text(item.get("description") or item.get("schema", item).get("description") or "")
    limits = limits_in_words(item, _code, _code)
    return text + (f" ({', '.join(limits)})" if limits else "")


def _code(value: str) -> str:
    return f"<code>{html.escape(value)}</code>"


def _type_link(name: str) -> str:
    return f'<a href="#{_type_anchor(name)}">{html.escape(name)}</a>'


def _errors() -> list[type[YunheError]]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, YunheError)]
    return sorted(kinds, key=lambda kind: kind.code)


def _meaning(kind: type[YunheError]) -> str:
    return _text((inspect.getdoc(kind) or "").partition("\n\n")[0])


def _table(head: list[str], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    top = "".join(f"<th>{name}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _text(text: str) -> str:
    return _QUOTED.sub(r"<code>\1</code>", html.escape(" ".join(text.split())))


def _anchor(method: str, path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{method} {path}".lower()).strip("-")


def _type_anchor(name: str) -> str:
    return f"type-{re.sub('[^a-z0-9]+', '-', name.lower())}"
