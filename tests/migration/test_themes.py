"""Themes: all five files, new ids, found again by id or content, changed where the interface can change them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from opencast.api.opencast import Opencast
from opencast.api.themes import FILE_FIELDS, Theme
from opencast.errors import ObjectGone, OpencastError, VerificationFailed
from opencast.migration.migrated import Migrated
from opencast.migration.patience import Patience
from opencast.migration.themes import ThemeMigrator
from opencast.store.database import Database
from opencast.store.ledger import Kind, State

from tests.migration.pair import Pair, server

RECORDED = "1302"


def migrate(pair: Pair, identifier: str = RECORDED) -> Migrated:
    with pair.bench() as bench:
        return bench.theme_migrator().migrate(identifier)


def impatient(pair: Pair, identifier: str = RECORDED) -> Migrated:
    """Migrate without waiting for what does not come."""
    with pair.bench() as bench:
        usual = bench.theme_migrator()
        migrator = ThemeMigrator(
            bench.source.themes, bench.target.themes, usual._files, bench.ids, usual._lock,
            patience=Patience(2, sleep=lambda _: None),
        )  # fmt: skip
        return migrator.migrate(identifier)


def mapped(pair: Pair, identifier: str = RECORDED) -> str | None:
    with pair.bench() as bench:
        return bench.ids.target(Kind.THEME, identifier)


def forget_ledger(pair: Pair, folder: Path) -> None:
    pair.database = Database(f"sqlite:///{folder}/other.db")
    pair.database.upgrade()


def content(opencast: Opencast, theme: Theme) -> tuple[Any, ...]:
    """Return everything but the ids: fields, names and bytes of files."""
    files = {}
    for field, identifier in theme.files.items():
        with opencast.staticfiles.download(identifier) as download:
            files[field] = b"".join(download.iter())
    shown = theme.name, theme.description, theme.is_default, theme.flags, theme.texts, theme.file_names
    return *shown, files


def create(opencast: Opencast, **fields: Any) -> Theme:
    return opencast.themes.create(Theme(None, **{"name": "Plain", **fields}))


def test_a_theme_arrives_with_all_five_files(pair: Pair) -> None:
    done = migrate(pair)
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    made = target.themes.get(mapped(pair) or "")
    assert set(made.files) == set(FILE_FIELDS)
    assert content(target, made) == content(source, source.themes.get(RECORDED))
    assert done.written == ("theme", *FILE_FIELDS)
    assert done.traffic.total == done.traffic.read == done.traffic.written == 45082


def test_the_files_are_kept_by_the_target(pair: Pair) -> None:
    migrate(pair)
    root = pair.target.storage / "staticfiles" / "mh_default_org"
    assert len([path for path in root.glob("*/*") if path.is_file()]) == 5
    assert list((root / "temp").glob("*")) == []


def test_an_equal_theme_is_not_written_again(pair: Pair) -> None:
    migrate(pair)
    before = pair.writes()
    assert migrate(pair).written == ()
    assert pair.writes() == before


def test_without_the_ledger_a_theme_is_found_by_its_content(pair: Pair, tmp_path: Path) -> None:
    migrate(pair)
    made = mapped(pair)
    forget_ledger(pair, tmp_path)
    assert migrate(pair).written == ()
    assert mapped(pair) == made
    assert len(Opencast(server(pair.target)).themes.list()) == 1


def test_a_theme_with_other_bytes_in_one_file_is_another_theme(pair: Pair, tmp_path: Path) -> None:
    migrate(pair)
    forget_ledger(pair, tmp_path)
    target = Opencast(server(pair.target))
    file = pair.target.static_files.find("mh_default_org", target.themes.list()[0].files["licenseSlideBackground"])
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert migrate(pair).written[0] == "theme"
    assert len(target.themes.list()) == 2


def test_two_equal_themes_stay_two(pair: Pair, tmp_path: Path) -> None:
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    one, two = (str(create(source).id) for _ in range(2))
    migrate(pair, one)
    migrate(pair, two)
    assert len(target.themes.list()) == 2
    forget_ledger(pair, tmp_path)
    assert [migrate(pair, identifier).written for identifier in (one, two)] == [(), ()]
    assert mapped(pair, one) != mapped(pair, two)


def test_a_changed_theme_is_changed_under_its_id_and_only_the_new_file_is_sent(pair: Pair, tmp_path: Path) -> None:
    migrate(pair)
    made = mapped(pair)
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    (tmp_path / "new.png").write_bytes(b"new mark")
    with (tmp_path / "new.png").open("rb") as stream:
        new = source.staticfiles.upload("new.png", stream, 8)
    theme = source.themes.get(RECORDED)
    source.themes.update(Theme(theme.id, "Renamed", files={"watermarkFile": new}, flags=theme.flags))
    assert migrate(pair).written == ("fields", "watermarkFile")
    assert mapped(pair) == made
    assert content(target, target.themes.get(made or "")) == content(source, source.themes.get(RECORDED))


def test_a_theme_that_was_deleted_on_the_target_is_created_again(pair: Pair) -> None:
    migrate(pair)
    first = mapped(pair)
    Opencast(server(pair.target)).themes.delete(first or "")
    assert impatient(pair).written[0] == "theme"
    assert mapped(pair) != first


def test_a_missing_file_is_named_and_the_rest_arrives(pair: Pair) -> None:
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    lost = source.themes.get(RECORDED).files["bumperFile"]
    source.staticfiles.delete(lost)
    done = migrate(pair)
    assert f"Its file bumperFile ({lost}) is missing on the source; the theme on the target has none." in done.notes
    assert set(target.themes.get(mapped(pair) or "").files) == set(FILE_FIELDS) - {"bumperFile"}
    before = pair.writes()
    assert migrate(pair).written == ()
    assert pair.writes() == before


def test_a_file_that_is_lost_on_the_source_later_stays_on_the_target(pair: Pair) -> None:
    migrate(pair)
    source = Opencast(server(pair.source))
    source.staticfiles.delete(source.themes.get(RECORDED).files["bumperFile"])
    shutil.rmtree(pair.settings.staging)
    done = migrate(pair)
    assert done.written == ()
    assert "keeps the one that it has" in done.notes[0]


def test_a_text_that_cannot_be_emptied_over_rest_is_named(pair: Pair) -> None:
    migrate(pair)
    theme = pair.source.themes._held[int(RECORDED)]
    pair.source.themes.load(type(theme)(**{
        **{name: getattr(theme, name) for name in type(theme).__slots__}, "texts": {**theme.texts, "description": ""}
    }))  # fmt: skip
    with pytest.raises(VerificationFailed, match=r"its description is 'with all files' instead of ''.*admin interface"):
        impatient(pair)


def test_the_index_of_the_target_may_lag_behind(pairs: Any) -> None:
    pair = pairs(target={"index_lag": 1.2})
    migrate(pair)
    assert len(Opencast(server(pair.target)).themes.list()) == 1
    assert migrate(pair).written == ()


def test_a_file_that_arrives_damaged_is_noticed(pair: Pair) -> None:
    pair.target.faults.add("^/staticfiles/[^/]+$", method="GET", corrupt=3)
    with pytest.raises(VerificationFailed, match="The file bumperFile of the theme 'a-Corporate Ü' differs"):
        migrate(pair)


def test_a_creation_whose_answer_is_lost_is_found_by_the_next_try(pair: Pair) -> None:
    pair.target.faults.add("^/admin-ng/themes$", method="POST", drop=True, executed=True, times=1)
    with pytest.raises(OpencastError):
        migrate(pair)
    assert migrate(pair).written == ()
    assert len(Opencast(server(pair.target)).themes.list()) == 1


def test_another_creator_is_noted(pair: Pair) -> None:
    held = pair.source.themes._held[int(RECORDED)]
    fields = {name: getattr(held, name) for name in type(held).__slots__}
    pair.source.themes.load(type(held)(**{**fields, "creator": "Ada"}))
    assert "Its creator is 'Administrator' on the target, 'Ada' on the source." in migrate(pair).notes


def test_a_theme_that_is_gone_is_named(pair: Pair) -> None:
    with pytest.raises(ObjectGone, match="theme 4711 is not on the source"):
        migrate(pair, "4711")


def test_nothing_keeps_its_files_in_staging_afterwards(pair: Pair) -> None:
    migrate(pair)
    with pair.bench() as bench:
        assert bench.imports.needed() == set()


def test_the_series_of_a_theme_gets_the_id_that_it_has_on_the_target(pair: Pair) -> None:
    pair.migrate_all(series=["a-series-algorithms"])
    target = Opencast(server(pair.target))
    assert target.series.properties("a-series-algorithms")["theme"] == mapped(pair)
    assert target.themes.series(mapped(pair) or "") == ("a-series-algorithms",)


def test_a_series_whose_theme_comes_later_is_updated(pair: Pair) -> None:
    pair.migrate_all(series=["a-series-algorithms"], include_themes=False)
    assert pair.plan(key="dag/2", series=["a-series-algorithms"], include_themes=False)[
        "a-series-algorithms"
    ].reason == "done"  # fmt: skip
    items = pair.plan(key="dag/3", series=["a-series-algorithms"])
    assert items["a-series-algorithms"].reason == "its theme comes to the target"
    pair.migrate_belongings(Kind.THEME, key="dag/3")
    assert pair.migrate_series("a-series-algorithms") == ("property theme",)
    assert pair.plan(key="dag/4", series=["a-series-algorithms"])["a-series-algorithms"].reason == "done"


def test_a_theme_that_fails_costs_its_series_nothing_but_the_theme(pair: Pair) -> None:
    pair.target.faults.add("^/admin-ng/themes$", method="POST", status=400)
    pair.migrate_all(series=["a-series-algorithms"])
    assert pair.entry(Kind.THEME, RECORDED).state is State.FAILED
    assert "theme" not in Opencast(server(pair.target)).series.properties("a-series-algorithms")
    pair.target.faults.clear()
    items = pair.plan(key="dag/2", series=["a-series-algorithms"])
    assert items[RECORDED].is_work and items["a-series-algorithms"].is_work
