"""docs/operating.md: what it names exists, and its commands are understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from opencast.cli.main import build_parser
from opencast.settings import Settings

from scripts.compose import FILE, ROOT

TEXT = (ROOT / "docs" / "operating.md").read_text()
_CONTINUED = re.compile(r"\\\n\s*")


def commands(program: str) -> list[list[str]]:
    """Return the arguments of each command of a program that the guide shows, in blocks and in the text."""
    text = _CONTINUED.sub(" ", TEXT)
    found = re.findall(rf"(?:^\$ |/entrypoint ){program} ([^\n`]+)", text, re.MULTILINE)
    return [shlex.split(re.split(r"\s{2,}#", line)[0]) for line in found]


@pytest.mark.parametrize("arguments", commands("python -m opencast"), ids=" ".join)
def test_each_command_of_the_package_is_understood(arguments: list[str]) -> None:
    assert build_parser().parse_args(arguments).run


def test_campaigns_are_shown_with_every_command_that_they_have() -> None:
    assert {arguments[1] for arguments in commands("python -m opencast") if arguments[0] == "campaign"} == {
        "list", "show", "pause", "resume", "cancel", "limit"
    }  # fmt: skip


@pytest.mark.parametrize("arguments", commands("airflow"), ids=" ".join)
def test_each_command_of_airflow_is_understood(arguments: list[str]) -> None:
    from airflow.cli.cli_parser import get_parser

    assert get_parser().parse_args(arguments).func


def test_each_setting_of_airflow_exists() -> None:
    from airflow.configuration import conf

    named = set(re.findall(r"AIRFLOW__([A-Z_]+?)__([A-Z_]+)", TEXT))
    known = conf.configuration_description
    assert named
    assert [(s, o) for s, o in named if o.lower() not in known.get(s.lower(), {}).get("options", {})] == []


def test_each_variable_of_the_package_exists() -> None:
    named = set(re.findall(r"\bOPENCAST_[A-Z_]+[A-Z]\b", TEXT))
    own = {f"OPENCAST_{name.upper()}" for name in Settings.model_fields}
    used = set(re.findall(r"\$\{(\w+)", FILE.read_text() + (ROOT / "docker" / "init.sh").read_text()))
    assert named and named - own - used == set()


def test_each_metric_is_one_that_airflow_sends() -> None:
    import airflow

    template = Path(airflow.__path__[0]) / "_shared" / "observability" / "metrics" / "metrics_template.yaml"
    sent = {metric["name"] for metric in yaml.safe_load(template.read_text())["metrics"]}
    table = TEXT.partition("| metric (prefix")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`([a-z_.]+)`", row.split("|")[1])}
    assert len(named) > 8 and named - {"opencast_imports", "failed"} <= sent


def test_each_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", TEXT) if "://" not in link]
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
