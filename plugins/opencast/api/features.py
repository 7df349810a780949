"""Which version of Opencast can do what: the only table of this kind."""

from __future__ import annotations

from enum import Enum


class Feature(Enum):
    """What not every version has, with the first and the last major version that has it; None for "still has".

    Taken from the sources of the versions named, and from recorded answers of 15.11 and 17. What came with a minor
    version counts from the next major one: the older way still works there.
    """

    #: ``/episode``: the archive of 1.x.
    EPISODE_ARCHIVE = (1, 1)
    #: ``/archive``: the archive of 2.x and 3.0.
    ARCHIVE = (2, 3)
    #: ``/assets``: the archive since 4.0.
    ASSETS = (4, None)
    #: ``/api/events`` names series, status and language of an event, and can be asked for a range of starts.
    EVENT_ROWS = (6, None)
    #: ``/api`` (came with 2.3).
    EXTERNAL_API = (3, None)
    #: ``/api/series`` (came with 2.3); ``/series/series.xml`` ended after 11.
    SERIES_ROWS = (3, None)
    #: Properties and further elements of a series.
    SERIES_EXTRAS = (2, None)
    #: Plans of the scheduler are kept in the asset manager (``/recordings/{id}/technical.json``).
    SCHEDULES = (4, None)
    #: ``/workflow/mediaPackage/{id}/hasActiveWorkflows``; ``/workflow/instances`` before.
    ACTIVE_WORKFLOWS = (12, None)
    #: A mediapackage in the archive holds the published elements of its publications.
    PUBLISHED_ELEMENTS_IN_ARCHIVE = (11, None)
    #: ``/search`` answers XML, with the complete package as text in it.
    SEARCH_XML = (1, 15)
    #: ``/search`` answers JSON only, with a list even for one result.
    SEARCH_JSON = (16, None)
    #: A zip brings access list and extended metadata of a series that the server does not know yet.
    SERIES_FROM_ZIP = (14, None)
    #: More than one folder for the archive.
    SEVERAL_ARCHIVE_FOLDERS = (15, None)
    #: ``/api/events`` shows the channel ``internal`` when asked for it.
    INTERNAL_PUBLICATIONS = (16, None)
    #: ``/api/playlists``.
    PLAYLISTS = (16, None)
    #: ``/admin-ng``: themes, comments on events, lists of users, groups and templates of access lists.
    ADMIN_INTERFACE = (2, None)
    #: ``/assets/{id}/workflowProperties``: properties of workflows are kept with their event.
    WORKFLOW_PROPERTIES = (6, None)
    #: ``/feeds``.
    FEEDS = (1, 15)

    def __init__(self, first: int, last: int | None) -> None:
        self.first = first
        self.last = last

    def is_in(self, major: int) -> bool:
        """Tell whether a major version has this."""
        return major >= self.first and (self.last is None or major <= self.last)
