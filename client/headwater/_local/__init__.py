"""Servers of one's own: a child process over a local folder, for `Client.local`."""

from headwater._local.server import LocalServer

__all__ = ["LocalServer"]
