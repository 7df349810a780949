"""The pages are there from the first request on, below the prefix that Airflow mounts them at."""

from __future__ import annotations

from fastapi.testclient import TestClient
from opencast.web.late import pages
from starlette.applications import Starlette
from starlette.routing import Mount


def test_the_pages_answer_where_they_are_mounted() -> None:
    client = TestClient(Starlette(routes=[Mount("/opencast", pages)]))
    assert client.get("/opencast/report", params={"dag_id": "d", "run_id": "r"}).status_code == 401
    assert client.get("/opencast/nothing").status_code == 404
