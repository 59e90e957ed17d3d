"""Who may do what: keys with a scope, limited to collections, and to the points that match a filter.

`scopes` says which scope each RPC needs. `access` is what a key may do, `names` finds the collections that a request
names, and `tenants` narrows requests to the points of a key. `key_file` reads keys from a file, `managed` stores keys,
and `keyring` finds the key of a secret. `permissions` applies all of it to requests, for every door of the server.
"""

from server.keys.access import EVERYTHING, Access, Scope
from server.keys.key_file import InvalidKeys, hashed, new_secret, tenant_of
from server.keys.keyring import Keyring
from server.keys.managed import ManagedKey, ManagedKeys
from server.keys.names import collections_of
from server.keys.permissions import Permissions
from server.keys.scopes import SCOPES

__all__ = [
    "EVERYTHING",
    "SCOPES",
    "Access",
    "InvalidKeys",
    "Keyring",
    "ManagedKey",
    "ManagedKeys",
    "Permissions",
    "Scope",
    "collections_of",
    "hashed",
    "new_secret",
    "tenant_of",
]
