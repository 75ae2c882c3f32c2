"""The API as one page a person can read: no script, nothing fetched from elsewhere. Everything in it comes from openapi.json."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from serving.problems import KINDS

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
code,pre{font:13px/1.4 ui-monospace,monospace;background:#f4f4f2}pre{padding:.8rem;overflow:auto}h2{margin-top:2.2rem}
table{border-collapse:collapse}td,th{text-align:left;padding:.25rem .9rem .25rem 0;border-bottom:1px solid #ddd;vertical-align:top}"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page(document: dict[str, Any]) -> str:
    """The page of an OpenAPI document."""
    info, schemas = document["info"], document["components"]["schemas"]
    operations = "".join(operation(method, path, one) for path, methods in document["paths"].items() for method, one in methods.items())
    problems = table(["type", "status", "meaning"], [[f'<a id="{kind}"></a>{escape(kind)}', str(status), escape(title)]
                                                     for kind, (status, title) in KINDS.items()])
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title><style>{STYLE}</style>'
            f'<h1>{escape(info["title"])}</h1><p>{escape(info["description"])} <a href="/openapi.json">openapi.json</a></p>{operations}'
            f'<h2>Request</h2>{fields(schemas["Request"])}<h2>Decision</h2>{fields(schemas["Decision"])}<h2>Problems</h2>{problems}</html>')


def operation(method: str, path: str, one: dict[str, Any]) -> str:
    """One operation with its example."""
    content = one.get("requestBody", {}).get("content", {}).get("application/json", {})
    example = f"<pre>{escape(json.dumps(content['example'], indent=1))}</pre>" if content else ""
    answers = table(["status", "meaning"], [[status, escape(found["description"])] for status, found in one["responses"].items()])
    return f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(one['summary'])}</p>{example}{answers}"


def fields(schema: dict[str, Any], prefix: str = "") -> str:
    """A table of the fields of an object, inner objects below."""
    rows = [[f"<code>{escape(prefix + name)}</code>", "yes" if name in schema.get("required", ()) else "no",
             escape(allowed(one))] for name, one in schema["properties"].items()]
    inner = "".join(fields(one, f"{prefix}{name}.") for name, one in schema["properties"].items() if "properties" in one)
    return table(["field", "required", "allowed"], rows) + inner


def allowed(schema: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "anyOf" in schema:
        kinds = " or ".join(allowed(kind) for kind in schema["anyOf"])
    elif "enum" in schema:
        kinds = f"one of: {', '.join(map(str, schema['enum']))}"
    else:
        bounds = [schema.get(low, schema.get(length)) for low, length in (("minimum", "minLength"), ("maximum", "maxLength"))]
        limits = f" from {bounds[0]:,} to {bounds[1]:,}" if None not in bounds else ""
        kinds = f"{schema.get('type', 'value')}{limits}{' characters' if 'maxLength' in schema else ''}"
    return ". ".join(part for part in (f"{kinds} {schema.get('x-unit', '')}".strip(), schema.get("description", "")) if part)


def table(head: list[str], rows: list[list[str]]) -> str:
    """An HTML table; cells are HTML already."""
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return "<table><tr>" + "".join(f"<th>{name}</th>" for name in head) + f"</tr>{cells}</table>"
