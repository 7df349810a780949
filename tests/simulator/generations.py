"""What each generation of Opencast has: 1 (1.x), 2 (2.0 to 2.2), 3 (2.3 to 3.x), and each major version after that.

Services and paths were looked up in the tags 1.6.2, 2.0.0, 2.2.0, 2.3.0 and 3.0 to 17; answers were recorded of 15 and
17 only, and what an older generation has beside these answers as the older of the two.
"""

from __future__ import annotations

import re

OLDEST, NEWEST = 1, 17
#: Rows of ``/api/events`` name series, status and language, and can be asked for by their start.
FULL_ROWS = 6
#: The archived package has the elements of its publications.
PUBLISHED_ELEMENTS = 11
#: ``/assets`` in place of the archives before it.
ASSETS = 4
#: Bundles are called after Matterhorn before.
OPENCAST_BUNDLES = 4
#: ``/info/me.json`` has the user as an object.
USER_OBJECT = 2

_FULL_VERSIONS = {1: "1.6.2", 2: "2.2.4", 3: "3.7.0", 15: "15.11.0", 17: "17.0.0.SNAPSHOT"}
# Minor number of the newest external API, by the first generation that has it.
_API = ((16, 11), (13, 10), (12, 8), (11, 7), (10, 6), (9, 5), (8, 3), (7, 2), (6, 1), (3, 0))

# Path, first and last generation that has it; None for no end. The first that matches decides.
_PATHS = tuple(
    (re.compile(pattern), first, last)
    for pattern, first, last in (
        (r"/api(/.*)?", 3, None),
        (r"/assets/[^/]+/workflowProperties.*", 6, None),
        (r"/assets/.*", ASSETS, None),
        (r"/archive/.*", 2, 3),
        (r"/episode/.*", 1, 1),
        (r"/admin-ng/.*|/staticfiles.*|/signing/.*", 2, None),
        (r"/recordings/[^/]+/(technical\.json|mediapackage\.xml)", 4, None),
        (r"/series/[^/]+/(properties\.json|elements.*)", 2, None),
        (r"/workflow/mediaPackage/.*", 12, None),
        (r"/workflow/instances\..*", 1, 11),
    )
)  # fmt: skip


def has_path(generation: int, path: str) -> bool:
    """Tell whether a generation has a path at all."""
    for pattern, first, last in _PATHS:
        if pattern.fullmatch(path):
            return first <= generation and (last is None or generation <= last)
    return True


def recorded(generation: int) -> int:
    """Give the recorded generation by which one behaves: 17 since the search moved in 16, else 15."""
    return 17 if generation >= 16 else 15


def version_of(generation: int) -> str:
    """Give the version that the bundles of a generation name."""
    return _FULL_VERSIONS.get(generation, f"{generation}.0.0")


def newest_api(generation: int) -> int:
    """Give the minor number of the newest external API."""
    return next((minor for first, minor in _API if generation >= first), 0)
