"""Builds the library of kernels in its place: `python -m storage.kernels [--sanitize]`."""

import sys

from storage.kernels.build import LIBRARY, SANITIZERS, BuildFailed, build, compiler


def main() -> int:
    """Builds the library in its place. Without a compiler it says what follows from that, which is no failure."""
    if compiler() is None:
        print("No C++ compiler (g++) was found: searches will run on numpy, with the same answers but more slowly.")
        return 0
    try:
        build(LIBRARY, SANITIZERS if sys.argv[1:] == ["--sanitize"] else ())
    except BuildFailed as error:
        print(f"The kernels could not be built:\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
