"""Builds the library of kernels in its place: `python -m storage.kernels [--sanitize]`."""

import sys

from storage.kernels.build import LIBRARY, SANITIZERS, SOURCE, build_in_place

if __name__ == "__main__":
    without = "searches will run on numpy, with the same answers but more slowly."
    extra = SANITIZERS if sys.argv[1:] == ["--sanitize"] else ()
    sys.exit(build_in_place(LIBRARY, SOURCE, without=without, extra=extra))
