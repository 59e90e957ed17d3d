"""RPCs over HTTP in the protocol of Connect: JSON for curl and browsers, or protobuf. Handlers and lanes are gRPC's.

`port` listens, in a thread with an event loop of its own, and `connections` bounds connections. `pages` says what is
served where; `guards` checks from where a browser asks. `endpoint` answers RPCs: `bodies` receives messages, `codecs`
are their forms, `calls` leads a call through the lanes, and `errors` writes errors. `console_page` serves the console.
"""

from server.http.console_page import console_routes
from server.http.endpoint import Bounds
from server.http.guards import Guards
from server.http.pages import application, page
from server.http.port import CannotServe, HttpPort

__all__ = ["Bounds", "CannotServe", "Guards", "HttpPort", "application", "console_routes", "page"]
