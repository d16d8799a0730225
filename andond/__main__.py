"""``python -m andond``: the same as the command ``andond``."""

import sys

from andond.cli import main

if __name__ == "__main__":
    sys.exit(main())
