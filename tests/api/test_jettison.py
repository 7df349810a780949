"""Lists as Jettison writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opencast.api import jettison

from tests.api.recorded import recorded_text


@pytest.mark.parametrize(
    ("value", "entries"),
    [
        (None, []),
        ("", []),
        ({"a": 1}, [{"a": 1}]),
        ("x", ["x"]),
        (0, [0]),
        (False, [False]),
        ([1, 2], [1, 2]),
        ([], []),
    ],
)
def test_nothing_one_and_many_are_all_lists(value: Any, entries: list[Any]) -> None:
    assert jettison.as_list(value) == entries


@pytest.mark.parametrize("document", [None, "", {}, {"agents": ""}, {"agents": None}, {"agents": {}}, [], 5])
def test_whatever_is_missing_means_no_entry(document: Any) -> None:
    assert jettison.entries(document, "agents", "agent") == []


def test_the_recorded_forms_are_understood() -> None:
    services = json.loads(recorded_text("preflight/services_ingest"))
    assert [entry["path"] for entry in jettison.entries(services, "services", "service")] == ["/ingest"]
    assert jettison.entries(json.loads(recorded_text("preflight/services_none")), "services", "service") == []
    agents = json.loads(recorded_text("agents/agents_json"))
    assert [agent["name"] for agent in jettison.entries(agents, "agents", "agent")] == [
        "a-hall-a",
        "a-lab 7",
        "smoke-ca",
    ]
