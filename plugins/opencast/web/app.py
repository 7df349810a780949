"""The pages under ``/opencast`` of the Airflow API server: a report needs the rights of its DAG, a feed has its own."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.responses import FileResponse, HTMLResponse, Response

from opencast.migration.report import report_folder
from opencast.settings import load_settings
from opencast.web import feeds


class Form(StrEnum):
    """Forms of a report."""

    HTML = "html"
    JSON = "json"
    CSV = "csv"


_TYPES = {Form.HTML: "text/html", Form.JSON: "application/json", Form.CSV: "text/csv"}

#: A report holds titles that came from servers: whatever they are, they run no script and load nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

_NO_REPORT = """<!doctype html><title>No report yet</title>
<p style="font:15px system-ui,sans-serif;margin:2rem">This run has no report yet: its last task writes it.</p>"""

app = FastAPI(title="Opencast", docs_url=None, redoc_url=None, openapi_url=None)
app.include_router(feeds.router)


@app.get("/report", dependencies=[Depends(requires_access_dag(method="GET"))])
def report(
    dag_id: Annotated[str, Query(max_length=250)],
    run_id: Annotated[str, Query(max_length=250)],
    form: Form = Form.HTML,
) -> Response:
    """Show the report of one run."""
    path = report_folder(load_settings().reports, f"{dag_id}/{run_id}") / f"report.{form}"
    if not path.is_file():
        if form is Form.HTML:
            return HTMLResponse(_NO_REPORT)
        raise HTTPException(404, "This run has no report yet.")
    return FileResponse(path, media_type=_TYPES[form], headers={"Content-Security-Policy": _POLICY})
