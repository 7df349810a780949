"""Map urls of the source to files of its mounted storage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Mount:
    """A folder of the source's storage that is mounted here.

    :param url_prefix: ``<server>/assets/assets`` for an archive, ``<server>/static`` for downloads.
    :param root: the archive root or the downloads folder (the folder that holds ``<org>``).
    :param kind: which of Opencast's two layouts.
    :param organization: needed for ``archive``, because an asset's url does not name it.
    """

    url_prefix: str
    root: Path
    kind: Literal["archive", "downloads"]
    organization: str = "mh_default_org"
