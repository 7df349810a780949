"""The report: each object with outcome and reason, totals, three forms, and nothing that a server could abuse."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from opencast.migration.report import Report, Reporter, report_folder
from opencast.store.campaigns import Campaigns, CampaignState
from opencast.store.database import Database
from opencast.store.ledger import MIGRATE, Kind, Ledger, ObjectKey, Outcome, State, Traffic
from opencast.store.plans import Action, Item, Plans
from opencast.store.waves import Waves

KEY = "dag/run 1"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    database = Database(f"sqlite:///{tmp_path}/store.db")
    database.upgrade()
    return Ledger(database, "https://source#org", "https://target#org")


def write(ledger: Ledger, tmp_path: Path, items: list[Item], mode: str = "migrate") -> Report:
    plans = Plans(ledger.database, ledger.pair_id)
    plans.write(KEY, {"mode": mode}, items)
    return Reporter(ledger, plans, tmp_path / "reports").write(KEY)


def item(identifier: str, action: Action = Action.MIGRATE, title: str = "T", reason: str = "") -> Item:
    return Item(Kind.MEDIAPACKAGE, identifier, title, action, reason)


def done(ledger: Ledger, identifier: str, state: State = State.DONE, reason: str = "", plan: str = KEY) -> None:
    key = ObjectKey(Kind.MEDIAPACKAGE, identifier, plan, "T")
    ledger.begin(key, "1")
    ledger.step(key, "stage", Outcome.DONE, traffic=Traffic(total=10, read=7))
    ledger.step(key, "send", Outcome.DONE, traffic=Traffic(written=8))
    ledger.finish(key, state, reason=reason, notes=("a note",))


def outcomes(report: Report) -> dict[str, str]:
    lines = json.loads((report.folder / "report.json").read_text())["objects"]
    return {line["identifier"]: line["outcome"] for line in lines}


def test_every_outcome_is_told_with_its_reason(ledger: Ledger, tmp_path: Path) -> None:
    done(ledger, "good")
    done(ledger, "bad", State.FAILED, "the file is damaged")
    done(ledger, "busy", State.SKIPPED, "a workflow runs")
    report = write(
        ledger,
        tmp_path,
        [item("good"), item("bad"), item("busy"), item("old", Action.SKIP), item("scheduled", Action.CANNOT)],
    )
    assert outcomes(report) == {
        "good": "done", "bad": "failed", "busy": "skipped", "old": "skipped", "scheduled": "cannot"
    }  # fmt: skip
    assert report.totals.failed == 1
    assert "the file is damaged" in (report.folder / "report.html").read_text()


def test_an_object_that_the_run_did_not_reach_is_no_success(ledger: Ledger, tmp_path: Path) -> None:
    report = write(ledger, tmp_path, [item("never")])
    assert outcomes(report) == {"never": "open"}
    assert report.totals.failed == 1


def test_what_an_earlier_run_did_is_no_outcome_of_this_one(ledger: Ledger, tmp_path: Path) -> None:
    done(ledger, "a", plan="dag/earlier")
    assert outcomes(write(ledger, tmp_path, [item("a")])) == {"a": "open"}


def test_bytes_are_summed(ledger: Ledger, tmp_path: Path) -> None:
    done(ledger, "a")
    done(ledger, "b")
    totals = write(ledger, tmp_path, [item("a"), item("b")]).totals
    assert (totals.bytes_total, totals.bytes_read, totals.bytes_written) == (20, 14, 16)


def test_a_plan_is_reported_as_planned_and_is_no_failure(ledger: Ledger, tmp_path: Path) -> None:
    report = write(ledger, tmp_path, [item("a")], mode="plan")
    assert outcomes(report) == {"a": "planned"}
    assert report.totals.failed == 0


def test_titles_are_no_markup_and_no_formulas(ledger: Ledger, tmp_path: Path) -> None:
    report = write(ledger, tmp_path, [item("a", title="<script>alert(1)</script>"), item("b", title="=1+1")])
    page = (report.folder / "report.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    with (report.folder / "report.csv").open(newline="") as stream:
        titles = {row["identifier"]: row["title"] for row in csv.DictReader(stream)}
    assert titles["b"] == "'=1+1"


@pytest.mark.parametrize("key", ["../../etc/x", "dag/../../x", "a/..", "/etc/passwd"])
def test_no_run_id_leaves_the_reports_folder(tmp_path: Path, key: str) -> None:
    assert report_folder(tmp_path, key).resolve().parent == tmp_path.resolve()


def test_runs_whose_ids_differ_have_folders_that_differ(tmp_path: Path) -> None:
    keys = ["d/manual__2026-11-22T07:32:28+00:00", "d/manual__2026-11-22T07:32:28_00:00"]
    assert len({report_folder(tmp_path, key) for key in keys}) == 2


def test_writing_twice_replaces_the_report(ledger: Ledger, tmp_path: Path) -> None:
    write(ledger, tmp_path, [item("a")])
    done(ledger, "a")
    report = write(ledger, tmp_path, [item("a")])
    assert outcomes(report) == {"a": "done"}
    assert sorted(path.name for path in report.folder.iterdir()) == ["report.csv", "report.html", "report.json"]


class TestOneOfSeveralRuns:
    """A run of a campaign reports what it has done, and what is left to the others."""

    @pytest.fixture
    def plans(self, ledger: Ledger) -> Plans:
        plans = Plans(ledger.database, ledger.pair_id)
        campaign = Campaigns(ledger.database).begin(ledger.pair_id, "summer")
        plans.begin(KEY, {"mode": "migrate"}, campaign_id=campaign.id)
        plans.add(KEY, [item(f"e{number}") for number in range(4)])
        waves = Waves(ledger.database, ledger.pair_id)
        waves.open(KEY)
        waves.take(KEY, KEY, 2)
        waves.follow("dag/run 2", KEY, 2)
        return plans

    def report(self, ledger: Ledger, plans: Plans, folder: Path, key: str = KEY) -> Report:
        return Reporter(ledger, plans, folder / "reports").write(key)

    def test_objects_of_later_runs_are_waiting_and_no_failure(
        self, ledger: Ledger, plans: Plans, tmp_path: Path
    ) -> None:
        done(ledger, "e0")
        done(ledger, "e1")
        report = self.report(ledger, plans, tmp_path)
        assert outcomes(report) == {"e0": "done", "e1": "done", "e2": "waiting", "e3": "waiting"}
        assert report.totals.failed == 0

    def test_what_the_run_itself_did_not_reach_is_a_failure_all_the_same(
        self, ledger: Ledger, plans: Plans, tmp_path: Path
    ) -> None:
        done(ledger, "e0")
        assert self.report(ledger, plans, tmp_path).totals.failed == 1

    def test_a_later_run_reports_its_own_part_only(self, ledger: Ledger, plans: Plans, tmp_path: Path) -> None:
        Waves(ledger.database, ledger.pair_id).take("dag/run 2", KEY, 2)
        done(ledger, "e2", plan="dag/run 2")
        assert outcomes(self.report(ledger, plans, tmp_path, "dag/run 2")) == {"e2": "done", "e3": "open"}

    def test_the_report_shows_the_whole_campaign(self, ledger: Ledger, plans: Plans, tmp_path: Path) -> None:
        done(ledger, "e0")
        report = self.report(ledger, plans, tmp_path)
        campaign = json.loads((report.folder / "report.json").read_text())["campaign"]
        counts = {row["outcome"]: row["objects"] for row in campaign["objects"]}
        assert (campaign["name"], campaign["runs"], counts) == (
            "summer", [KEY, "dag/run 2"], {"done": 1, "waiting": 3}
        )  # fmt: skip
        assert "Run 1 of 2 in the campaign" in (report.folder / "report.html").read_text()

    def test_what_a_stopped_campaign_has_left_says_why(self, ledger: Ledger, plans: Plans, tmp_path: Path) -> None:
        campaigns = Campaigns(ledger.database)
        campaigns.set_state(campaigns.named("summer")[0].id, CampaignState.STOPPED, "too much failed")
        report = self.report(ledger, plans, tmp_path)
        lines = json.loads((report.folder / "report.json").read_text())["objects"]
        assert {line["reason"] for line in lines if line["outcome"] == "waiting"} == {
            "The campaign was stopped: too much failed."
        }


def test_a_page_of_a_huge_library_shows_the_failures_and_says_where_the_rest_is(ledger: Ledger, tmp_path: Path) -> None:
    done(ledger, "bad", State.FAILED, "the file is damaged")
    items = [*(item(f"e{number}", Action.SKIP, reason="done") for number in range(2500)), item("bad")]
    report = write(ledger, tmp_path, items)
    page = (report.folder / "report.html").read_text()
    assert "the file is damaged" in page
    assert "501 more are in" in page
    assert len(outcomes(report)) == 2501
    assert len((report.folder / "report.csv").read_text().splitlines()) == 2502


def test_a_report_that_cannot_be_finished_leaves_the_old_one(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = write(ledger, tmp_path, [item("a")])
    before = (report.folder / "report.html").read_text()
    monkeypatch.setattr("opencast.migration.report_files.ReportFiles._page", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(ledger, tmp_path, [item("b")])
    assert (report.folder / "report.html").read_text() == before
    assert sorted(path.name for path in report.folder.iterdir()) == ["report.csv", "report.html", "report.json"]


def test_a_series_that_another_run_has_done_again_since_stays_done(ledger: Ledger, tmp_path: Path) -> None:
    """Runs side by side need the same series; the ledger has one row for it, that of the run that came last."""
    for plan in (KEY, "dag/other"):
        key = ObjectKey(Kind.SERIES, "s", plan, "T")
        ledger.begin(key, None)
        ledger.step(key, MIGRATE, Outcome.DONE)
        ledger.finish(key, State.DONE)
    ledger.begin(ObjectKey(Kind.SERIES, "never", "dag/other", "T"), None)
    report = write(ledger, tmp_path, [Item(Kind.SERIES, name, "T", Action.MIGRATE, "") for name in ("s", "never")])
    assert outcomes(report) == {"s": "done", "never": "open"}
    (line,) = [line for line in json.loads((report.folder / "report.json").read_text())["objects"] if line["notes"]]
    assert "dag/other has worked on it since" in line["notes"][-1]
