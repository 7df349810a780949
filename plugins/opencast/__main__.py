"""``python -m opencast``: the commands of this package for scripts."""

import sys

from opencast.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
