"""`python -m headwater._cli` is the command `headwater`."""

import sys

from headwater._cli import main

sys.exit(main())
