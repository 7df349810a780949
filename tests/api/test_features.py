"""Which version can do what, a row each."""

from __future__ import annotations

import pytest
from opencast.api.features import Feature

ROWS = [
    (Feature.EPISODE_ARCHIVE, [1], [2, 3, 4, 17]),
    (Feature.ARCHIVE, [2, 3], [1, 4, 17]),
    (Feature.ASSETS, [4, 13, 17, 99], [1, 2, 3]),
    (Feature.EVENT_ROWS, [6, 17, 99], [1, 3, 4, 5]),
    (Feature.EXTERNAL_API, [3, 4, 17, 99], [1, 2]),
    (Feature.SERIES_ROWS, [3, 4, 17, 99], [1, 2]),
    (Feature.SERIES_EXTRAS, [2, 3, 17, 99], [1]),
    (Feature.SCHEDULES, [4, 17, 99], [1, 2, 3]),
    (Feature.ACTIVE_WORKFLOWS, [12, 17, 99], [4, 11]),
    (Feature.PUBLISHED_ELEMENTS_IN_ARCHIVE, [11, 15, 17], [4, 10]),
    (Feature.SEARCH_XML, [1, 4, 13, 15], [16, 17]),
    (Feature.SEARCH_JSON, [16, 17, 99], [15]),
    (Feature.SERIES_FROM_ZIP, [14, 17], [13]),
    (Feature.SEVERAL_ARCHIVE_FOLDERS, [15, 17], [14]),
    (Feature.INTERNAL_PUBLICATIONS, [16, 17], [15]),
    (Feature.PLAYLISTS, [16, 17], [15]),
    (Feature.ADMIN_INTERFACE, [2, 4, 17, 99], [1]),
    (Feature.WORKFLOW_PROPERTIES, [6, 17, 99], [4, 5]),
    (Feature.FEEDS, [13, 15], [16, 17]),
]


@pytest.mark.parametrize(("feature", "has", "lacks"), ROWS, ids=[row[0].name for row in ROWS])
def test_a_feature_is_in_its_versions_only(feature: Feature, has: list[int], lacks: list[int]) -> None:
    assert [major for major in has if not feature.is_in(major)] == []
    assert [major for major in lacks if feature.is_in(major)] == []


def test_every_feature_has_a_row() -> None:
    assert {row[0] for row in ROWS} == set(Feature)


def test_archive_and_search_have_exactly_one_form_in_each_version() -> None:
    for major in range(1, 30):
        archives = (Feature.EPISODE_ARCHIVE, Feature.ARCHIVE, Feature.ASSETS)
        assert sum(feature.is_in(major) for feature in archives) == 1
        assert Feature.SEARCH_XML.is_in(major) is not Feature.SEARCH_JSON.is_in(major)
