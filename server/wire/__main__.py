"""Builds the wire library in its place: `python -m server.wire [--sanitize]`."""

import sys

from server.wire.library import LIBRARY, SOURCE
from storage.kernels import build_in_place

if __name__ == "__main__":
    without = "requests with many points will be read by protobuf, with the same results but more slowly."
    sys.exit(build_in_place(LIBRARY, SOURCE, sys.argv[1:], without=without))
