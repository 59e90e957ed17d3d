"""Serves the console, a page built by `make console` into the folder `console` here. It asks nothing of the server.

The page has no data of its own: it sends RPCs as any other program does, with the api-key that its user gives.
"""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

BUILT = Path(__file__).parent / "console"
"""Where `make console` puts the page."""
NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Headwater console</title>
<h1>The console is not built</h1>
<p>In a checkout of Headwater, <code>make console</code> builds it. That needs Node 20 or newer.</p>
<p>JSON over HTTP and gRPC work without it.</p></html>
"""
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_FOR_EVER = "public, max-age=31536000, immutable"


def console_routes(folder: Path = BUILT) -> list[BaseRoute]:
    """The routes below `/console`. Without a page in `folder` they say how it is built."""
    if (folder / "index.html").exists():
        return [Route("/console", _redirect), Mount("/console", _Page(directory=folder, html=True))]
    return [Route("/console", _redirect), Route("/console/", _not_built)]


class _Page(StaticFiles):
    """The files of the page, and what browsers are told about them."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        """See StaticFiles."""
        response = await super().get_response(path, scope)
        # The names of files in `assets` have a hash of what is in them.
        response.headers["cache-control"] = _FOR_EVER if path.startswith("assets") else "no-cache"
        response.headers.update(_HEADERS)
        return response


async def _redirect(request: Request) -> RedirectResponse:
    return RedirectResponse("/console/", 308)


async def _not_built(request: Request) -> HTMLResponse:
    return HTMLResponse(NOT_BUILT, 503, _HEADERS)
