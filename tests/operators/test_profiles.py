"""Profiles: sets of params under a name; what somebody changes in the form wins."""

from __future__ import annotations

from pathlib import Path

import pytest
from opencast.audit.options import AuditOptions
from opencast.errors import ConfigurationError, InvalidFilter
from opencast.migration.options import Mode, Options, Verify
from opencast.operators.profiles import NO_PROFILE, load_profiles, with_profile


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Use a file of our own."""
    monkeypatch.setenv("OPENCAST_CONFIG_FOLDER", str(tmp_path))
    path = tmp_path / "profiles.yaml"
    path.write_text("careful:\n  description: Slow\n  params:\n    verify: bytes\n    imports_in_flight: 2\n")
    return path


def test_a_profile_fills_the_fields_that_were_left_as_they_are(file: Path) -> None:
    form = {"profile": "careful", "verify": "sample", "imports_in_flight": 8, "text": None}
    assert with_profile(form, Options) == {"verify": "bytes", "imports_in_flight": 2, "text": None}


def test_what_was_changed_in_the_form_wins(file: Path) -> None:
    assert with_profile({"profile": "careful", "imports_in_flight": 4}, Options)["imports_in_flight"] == 4


@pytest.mark.parametrize("name", [NO_PROFILE, "", None])
def test_without_a_profile_nothing_is_changed(file: Path, name: str | None) -> None:
    assert with_profile({"profile": name, "verify": "sample"}, Options) == {"verify": "sample"}


def test_a_form_takes_only_the_params_that_it_has(file: Path) -> None:
    assert with_profile({"profile": "careful", "source": "x"}, AuditOptions) == {"source": "x", "verify": "bytes"}


def test_an_unknown_profile_is_named_with_those_that_there_are(file: Path) -> None:
    with pytest.raises(InvalidFilter, match=r"no profile 'fast' in profiles.yaml. Known profiles: careful"):
        with_profile({"profile": "fast"}, Options)


@pytest.mark.parametrize(
    ("line", "problem"),
    [("    verify: everything", "verify"), ("    speed: 9", "speed"), ("    wave_size: 0", "wave_size")],
)
def test_a_param_that_cannot_be_is_named_with_its_line(file: Path, line: str, problem: str) -> None:
    file.write_text(f"careful:\n  description: Slow\n  params:\n{line}\n")
    with pytest.raises(ConfigurationError, match=rf"profiles.yaml:4: careful.params.{problem}"):
        load_profiles()


def test_without_a_file_there_are_no_profiles(file: Path) -> None:
    file.unlink()
    assert load_profiles() == {}


def test_the_shipped_profiles_can_be_used() -> None:
    assert {"first-pass", "cut-over", "audit-only"} <= set(load_profiles())
    only = Options.from_params(with_profile({"profile": "audit-only"}, Options))
    assert (only.mode, only.verify) == (Mode.PLAN, Verify.BYTES)
    last = Options.from_params(with_profile({"profile": "cut-over"}, Options))
    assert last.include_failed
    assert last.replace_scheduled
