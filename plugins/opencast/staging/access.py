"""Whether the target's Opencast, which runs as another user, can read and remove what is put into its folders."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

_READ, _WRITE_AND_SEARCH = 0o4, 0o3


@dataclass(frozen=True)
class Account:
    """A user of the operating system, as far as file modes go.

    Further groups of the user are not known here: what only they allow counts as not allowed.
    """

    uid: int
    gid: int

    @classmethod
    def owning(cls, status: os.stat_result) -> Account:
        """Answer the owner of a folder: Opencast owns the folders that it made."""
        return cls(status.st_uid, status.st_gid)

    def may_read(self, status: os.stat_result) -> bool:
        """Whether the account can read a file."""
        return self._may(status, _READ)

    def may_remove_from(self, folder: os.stat_result) -> bool:
        """Whether the account can remove names from a folder."""
        return self._may(folder, _WRITE_AND_SEARCH)

    def _may(self, status: os.stat_result, wanted: int) -> bool:
        if self.uid == 0:
            return True
        mode = stat.S_IMODE(status.st_mode)
        if status.st_uid == self.uid:
            mode >>= 6
        elif status.st_gid == self.gid:
            mode >>= 3
        return mode & wanted == wanted
