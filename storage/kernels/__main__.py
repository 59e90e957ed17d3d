"""Builds the library of kernels in its place: `python -m storage.kernels [--sanitize]`."""

import sys

from storage.kernels.build import LIBRARY, SOURCE, build_in_place

if __name__ == "__main__":
    without = "searches will run on numpy, with the same answers but more slowly."
    sys.exit(build_in_place(LIBRARY, SOURCE, sys.argv[1:], without=without))
