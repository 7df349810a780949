"""Flavors are two names with a slash between them."""

from __future__ import annotations

import pytest
from opencast.errors import InvalidFlavor
from opencast.model.flavor import Flavor


def test_a_flavor_is_read_and_written() -> None:
    flavor = Flavor.parse("presenter/player+preview")
    assert (flavor.type, flavor.subtype, str(flavor)) == ("presenter", "player+preview", "presenter/player+preview")


def test_opencast_trims_both_parts_and_makes_them_lower_case() -> None:
    assert Flavor.parse(" Presenter / Source ") == Flavor("presenter", "source")


@pytest.mark.parametrize("text", ["", "/", "presenter", "presenter/", "/source", "a/b/c", " / "])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidFlavor):
        Flavor.parse(text)


@pytest.mark.parametrize("pattern", ["*/*", "presenter/*", "*/source", "presenter/source"])
def test_a_star_stands_for_a_whole_part(pattern: str) -> None:
    assert Flavor.parse("presenter/source").matches(pattern)
    assert Flavor.parse(pattern).matches(Flavor("presenter", "source"))


@pytest.mark.parametrize("pattern", ["presentation/*", "*/preview", "presenter/source+x", "pre*/source"])
def test_other_patterns_do_not_match(pattern: str) -> None:
    assert not Flavor.parse("presenter/source").matches(pattern)


def test_flavors_have_an_order() -> None:
    texts = ["security/xacml+series", "dublincore/episode", "presenter/source", "dublincore/series"]
    assert [str(flavor) for flavor in sorted(map(Flavor.parse, texts))] == sorted(texts)
