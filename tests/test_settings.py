"""The installation's settings: one file, overridden by environment variables, refused with the place of the mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from opencast.errors import ConfigurationError
from opencast.settings import Settings, SourceStorage, load_settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPENCAST_CONFIG_FOLDER", str(tmp_path))
    for name in Settings.model_fields:
        monkeypatch.delenv(f"OPENCAST_{name.upper()}", raising=False)
    return tmp_path


def test_the_shipped_file_says_what_the_defaults_are() -> None:
    assert load_settings().model_copy(update={"data_folder": Settings().data_folder}) == Settings()


def test_nothing_is_shared_between_source_and_staging_by_default() -> None:
    assert (Settings().link_source, Settings().allow_writable_source, Settings().source_storage) == (False, False, ())


def test_source_storage_is_a_list_of_folders(folder: Path) -> None:
    (folder / "settings.yaml").write_text(
        "source_storage:\n"
        "  - {kind: archive, folder: /mnt/archive}\n"
        "  - {kind: downloads, folder: /mnt/downloads, url: 'https://media.example.org/static/', organization: other}\n"
    )
    assert load_settings().source_storage == (
        SourceStorage(kind="archive", folder=Path("/mnt/archive")),
        SourceStorage(
            kind="downloads",
            folder=Path("/mnt/downloads"),
            url="https://media.example.org/static",
            organization="other",
        ),
    )


def test_source_storage_may_come_from_the_environment_as_json(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCAST_SOURCE_STORAGE", '[{"kind": "archive", "folder": "/mnt/archive"}]')
    assert load_settings().source_storage == (SourceStorage(kind="archive", folder=Path("/mnt/archive")),)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("source_storage: [{kind: archive, folder: mnt}]", "is no absolute path"),
        ("source_storage: [{kind: tape, folder: /mnt}]", "archive"),
        ("source_storage: [{kind: archive, folder: /mnt, url: 'file:///mnt'}]", "must begin with http"),
        ("source_storage: [{kind: archive, folder: /mnt, organization: '../x'}]", "organization"),
        ("target_files_folder: files", "is no absolute path"),
        ("target_account: opencast", "target_account"),
        ("zip_workflow: 'a/b'", "zip_workflow"),
        ("notify_mail: [nobody]", "no mail address"),
        ("link_sources: true", "link_sources"),
    ],
)
def test_a_wrong_setting_is_refused_with_file_and_line(folder: Path, line: str, problem: str) -> None:
    (folder / "settings.yaml").write_text(f"# first line\n{line}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "settings.yaml:2" in caught.value.message
    assert problem in caught.value.message


def test_a_wrong_environment_variable_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCAST_SOURCE_STORAGE", "[{kind: archive")
    with pytest.raises(ConfigurationError, match="OPENCAST_SOURCE_STORAGE"):
        load_settings()


def test_the_targets_account_is_two_numbers() -> None:
    assert Settings(target_account="1001:1002").target_ids == (1001, 1002)
    assert Settings().target_ids is None


def test_mail_addresses_may_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCAST_NOTIFY_MAIL", "a@example.org, b@example.org")
    assert load_settings().notify_mail == ("a@example.org", "b@example.org")
