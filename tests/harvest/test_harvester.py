"""One harvest of one repository, against a server like Opencast and against others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from opencast.errors import ConfigurationError, EndlessList, RepositoryBusy, ServerFailure, Throttled
from opencast.harvest.stream_state import Mode
from opencast.harvest.windows import Window
from opencast.store.harvesting import HarvestStream, Record

from tests.harvest.conftest import Site
from tests.harvest.oai_server import Held, Reply, _Query
from tests.harvest.recordings import FORMATS, Recording

LECTURE = Recording()
OVERLAP = timedelta(seconds=30)


def fill(site: Site, count: int, *, every: float = 1, first: int = 0) -> list[str]:
    identifiers = [f"ev-{number:04}" for number in range(first, first + count)]
    for identifier in identifiers:
        site.server.put(identifier, LECTURE.but(title=f"About {identifier}"))
        site.clock.tick(every)
    return identifiers


def lists(site: Site) -> list[dict[str, str]]:
    """The arguments of the ListRecords requests since the last call."""
    found = [request for request in site.server.requests if request["verb"] == "ListRecords"]
    site.server.requests.clear()
    return [{name: value for name, value in request.items() if name != "verb"} for request in found]


def kinds(findings: tuple[str, ...]) -> set[str]:
    return {finding.partition(":")[0] for finding in findings}


# --- incremental harvests ---------------------------------------------------------------------------------------------


def test_the_first_harvest_brings_everything_in_pages_of_the_server(site: Site) -> None:
    identifiers = fill(site, 120)
    report = site.harvest()
    assert site.records() == dict.fromkeys(identifiers, "alive")
    assert (report.new, report.changed, report.deleted, report.unreadable) == (120, 0, 0, 0)
    assert len(site.matterhorn) == 120


def test_the_next_harvest_asks_from_the_last_one_minus_the_overlap(site: Site) -> None:
    fill(site, 3)
    began = site.clock.now
    site.harvest()
    site.clock.tick(60)
    lists(site)
    site.harvest()
    asked = lists(site)[0]
    assert asked["from"] == (began - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "until" not in asked


def test_the_overlap_is_a_setting_of_the_repository(site: Site) -> None:
    site.settings(overlap_seconds=600)
    site.harvest()
    began = site.clock.now
    site.clock.tick(60)
    lists(site)
    site.harvest()
    assert lists(site)[0]["from"] == (began - timedelta(seconds=600)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_incremental_harvest_without_news_is_one_request_and_a_success(site: Site) -> None:
    fill(site, 3)
    site.clock.tick(60)
    site.harvest()
    site.clock.tick(60)
    site.server.requests.clear()
    report = site.harvest()
    assert [request["verb"] for request in site.server.requests] == ["ListRecords"]
    assert (report.requests, report.records) == (1, 0)
    assert site.repository.last_error == ""


def test_an_empty_repository_is_a_success(site: Site) -> None:
    report = site.harvest()
    assert report.records == 0
    assert site.repository.last_success == site.clock.now


def test_only_what_changed_is_counted_as_changed(site: Site) -> None:
    fill(site, 3)
    site.harvest()
    site.clock.tick(5)
    site.server.put("ev-0001", LECTURE.but(title="Another title"))
    report = site.harvest()
    assert (report.new, report.changed) == (0, 1)
    assert {row.title for row in site.matterhorn} == {"About ev-0000", "Another title", "About ev-0002"}


def test_a_record_that_is_sent_again_unchanged_is_not_touched(site: Site) -> None:
    fill(site, 3)
    site.harvest()
    changed = [row.changed for row in site.rows(Record)]
    site.clock.tick(5)
    report = site.harvest()
    assert report.records == 3
    assert (report.new, report.changed) == (0, 0)
    assert [row.changed for row in site.rows(Record)] == changed


def test_a_harvest_of_everything_has_no_lower_border(site: Site) -> None:
    fill(site, 3)
    site.harvest()
    site.clock.tick(100)
    lists(site)
    report = site.harvest(Mode.FULL)
    assert "from" not in lists(site)[0]
    assert report.records == 3


def test_after_a_harvest_of_everything_the_next_one_is_incremental_again(site: Site) -> None:
    site.harvest(Mode.FULL)
    began = site.clock.now
    site.clock.tick(60)
    lists(site)
    site.harvest()
    assert lists(site)[0]["from"] == (began - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- deleted records --------------------------------------------------------------------------------------------------


def test_a_deleted_record_is_kept_as_a_tombstone(site: Site) -> None:
    fill(site, 2)
    site.harvest()
    site.clock.tick(1)
    site.server.delete("ev-0000")
    report = site.harvest()
    assert report.deleted == 1
    assert site.records() == {"ev-0000": "deleted", "ev-0001": "alive"}
    assert {row.identifier: row.deleted for row in site.matterhorn} == {"ev-0000": True, "ev-0001": False}


def test_a_record_that_comes_back_is_new(site: Site) -> None:
    fill(site, 1)
    site.harvest()
    site.server.delete("ev-0000")
    site.harvest()
    site.clock.tick(1)
    site.server.put("ev-0000", LECTURE)
    report = site.harvest()
    assert (report.new, report.changed) == (1, 0)
    assert site.records() == {"ev-0000": "alive"}
    assert not site.matterhorn[0].deleted


def test_deleted_records_can_be_ignored(site: Site) -> None:
    site.settings(ignore_deleted=True)
    fill(site, 1)
    site.harvest()
    site.server.delete("ev-0000")
    report = site.harvest(Mode.FULL)
    assert report.deleted == 0
    assert site.records() == {"ev-0000": "alive"}


def test_a_record_that_vanished_without_a_trace_is_asked_for_and_marked(site: Site) -> None:
    fill(site, 3)
    site.harvest()
    site.server.forget("ev-0001")
    report = site.harvest(Mode.FULL)
    assert site.records() == {"ev-0000": "alive", "ev-0001": "deleted", "ev-0002": "alive"}
    assert report.deleted == 1
    assert "vanished" in kinds(report.findings)


def test_a_record_that_a_full_list_skips_is_not_taken_as_deleted(site: Site) -> None:
    fill(site, 3)
    site.harvest()
    hidden = site.server.records["ev-0001"]

    def hide(arguments: dict[str, str]) -> Reply | None:
        site.server.records.pop("ev-0001", None)
        if arguments["verb"] == "GetRecord":
            site.server.records["ev-0001"] = hidden
        return None

    site.server.before_reply = hide
    report = site.harvest(Mode.FULL)
    assert site.records()["ev-0001"] == "alive"
    assert "skipped" in kinds(report.findings)


def test_a_repository_that_seems_to_have_lost_most_of_its_records_is_not_believed(site: Site) -> None:
    fill(site, 60)
    site.harvest()
    for identifier in list(site.server.records)[:40]:
        site.server.forget(identifier)
    report = site.harvest(Mode.FULL)
    assert "mass-vanishing" in kinds(report.findings)
    assert set(site.records().values()) == {"alive"}


def test_an_incremental_harvest_never_looks_for_vanished_records(site: Site) -> None:
    fill(site, 3)
    site.harvest()
    site.server.forget("ev-0001")
    site.harvest()
    assert site.records()["ev-0001"] == "alive"


# --- interrupted harvests ---------------------------------------------------------------------------------------------


def break_at(site: Site, request_number: int, reply: Reply) -> None:
    """Answer the n-th ListRecords request, and all after it, with something else."""
    seen = 0

    def answer(arguments: dict[str, str]) -> Reply | None:
        nonlocal seen
        seen += arguments["verb"] == "ListRecords"
        return reply if seen >= request_number else None

    site.server.before_reply = answer


def test_a_harvest_goes_on_from_the_last_page_that_was_written(site: Site) -> None:
    site.settings(check_borders="never")
    identifiers = fill(site, 120)
    break_at(site, 3, Reply(b"", 500))
    with pytest.raises(ServerFailure):
        site.harvest()
    assert len(site.records()) == 100
    token = site.stream.token
    site.server.before_reply = None
    lists(site)
    report = site.harvest()
    assert lists(site) == [{"resumptionToken": token}]
    assert (report.new, report.records) == (20, 20)
    assert set(site.records()) == set(identifiers)


def test_an_interrupted_harvest_does_not_move_the_watermark(site: Site) -> None:
    fill(site, 120)
    break_at(site, 4, Reply(b"", 500))
    with pytest.raises(ServerFailure):
        site.harvest()
    assert site.stream.watermark is None
    began = site.stream.began
    site.server.before_reply = None
    site.clock.tick(100)
    site.harvest()
    assert site.stream.watermark == began


def test_a_dead_token_means_to_go_on_from_the_last_complete_datestamp(site: Site) -> None:
    site.settings(check_borders="never")
    identifiers = fill(site, 170)
    break_at(site, 3, Reply(b"", 500))
    with pytest.raises(ServerFailure):
        site.harvest()
    site.server.before_reply = None
    site.server.restart()
    high = site.stream.high_stamp
    assert high is not None
    lists(site)
    report = site.harvest()
    assert lists(site)[1]["from"] == high.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert set(site.records()) == set(identifiers)
    assert "dead-token" in kinds(report.findings)


def test_tokens_that_always_die_do_not_stop_a_list_that_ascends(site: Site) -> None:
    site.settings(check_borders="never")
    identifiers = fill(site, 170)
    site.server.before_reply = lambda _arguments: site.server.restart()
    site.harvest()
    assert set(site.records()) == set(identifiers)


def test_an_unordered_list_with_a_dead_token_is_read_again_from_its_beginning(new_site: Callable[..., Site]) -> None:
    site = new_site(opencast=False, page_size=10)
    site.add()
    identifiers = [f"ev-{number:02}" for number in range(30)]
    for identifier in reversed(identifiers):
        site.server.put(identifier, LECTURE)
        site.clock.tick(1)
    break_at(site, 3, Reply(b"", 500))
    with pytest.raises(ServerFailure):
        site.harvest()
    site.server.before_reply = None
    site.server.restart()
    lists(site)
    site.harvest()
    assert "from" not in lists(site)[1]
    assert set(site.records()) == set(identifiers)


def test_a_list_that_never_comes_further_is_given_up(new_site: Callable[..., Site]) -> None:
    site = new_site(opencast=False, page_size=10)
    site.add()
    now = site.clock.now
    for number in range(30):
        site.server.put(f"ev-{number}", LECTURE, at=now)
    site.server.before_reply = lambda _arguments: site.server.restart()
    with pytest.raises(EndlessList):
        site.harvest()
    assert site.stream.watermark is None
    assert len(site.server.requests) < 20


def test_reading_ahead_changes_nothing(site: Site) -> None:
    site.read_ahead = True
    identifiers = fill(site, 230)
    report = site.harvest()
    assert set(site.records()) == set(identifiers)
    assert report.new == 230


def test_an_error_while_reading_ahead_comes_after_the_pages_before_it(site: Site) -> None:
    site.read_ahead = True
    site.settings(check_borders="never")
    fill(site, 120)
    break_at(site, 3, Reply(b"", 500))
    with pytest.raises(ServerFailure):
        site.harvest()
    assert len(site.records()) == 100


# --- Opencast's own traps ---------------------------------------------------------------------------------------------


def test_records_with_the_time_of_a_pages_last_record_are_found(new_site: Callable[..., Site]) -> None:
    """Opencast's token continues strictly after that time, so its own list skips them."""
    site = new_site(precision=timedelta(seconds=1))
    site.add()
    identifiers = fill(site, 120, every=0.31)
    site.harvest()
    assert set(site.records()) == set(identifiers)


def test_without_that_look_they_would_be_lost(new_site: Callable[..., Site]) -> None:
    site = new_site(precision=timedelta(seconds=1))
    site.add(check_borders="never")
    identifiers = fill(site, 120, every=0.31)
    site.harvest()
    assert set(site.records()) < set(identifiers)


def test_what_is_found_at_a_border_is_written_before_the_pages_token(new_site: Callable[..., Site]) -> None:
    """Otherwise a harvest that ends between both would never ask for it again."""
    site = new_site(precision=timedelta(seconds=1))
    site.add()
    identifiers = fill(site, 120, every=0.31)
    site.server.before_reply = lambda arguments: Reply(b"", 500) if "resumptionToken" in arguments else None
    with pytest.raises(ServerFailure):
        site.harvest()
    site.server.before_reply = None
    site.harvest()
    assert set(site.records()) == set(identifiers)


def test_more_than_a_page_with_one_time_is_reported(new_site: Callable[..., Site]) -> None:
    site = new_site(precision=timedelta(seconds=1))
    site.add()
    fill(site, 70, every=0.01)
    report = site.harvest()
    assert "crowded-datestamp" in kinds(report.findings)


def test_a_record_that_the_server_cannot_read_does_not_end_the_list(site: Site) -> None:
    """Such a record makes Opencast's page shorter than its limit, which it takes as the end of the list."""
    identifiers = fill(site, 120)
    plain = site.server._matching

    def without_one(query: _Query) -> list[Held]:
        found = list(plain(query))
        limit = site.server.page_size
        return [held for held in found[:limit] if held.identifier != "ev-0030"]

    site.server._matching = without_one  # type: ignore[method-assign,assignment]  # in place of the server's own
    site.harvest()
    assert set(site.records()) == set(identifiers) - {"ev-0030"}


def test_a_full_last_page_is_followed_by_no_records_match(site: Site) -> None:
    identifiers = fill(site, 100)
    site.settings(check_borders="never")
    site.harvest()
    assert set(site.records()) == set(identifiers)


def test_the_format_is_known_by_its_namespace_whatever_its_prefix(new_site: Callable[..., Site]) -> None:
    site = new_site(formats={"oai_dc": "dc", "matterhorn": "http://example.org/other", "x-oc": FORMATS["matterhorn"]})
    site.add()
    site.server.put("ev-1", Recording(title="By another name"))
    site.harvest()
    assert [row.title for row in site.matterhorn] == ["By another name"]


def test_the_format_with_everything_inlined_is_chosen_by_itself(site: Site) -> None:
    site.server.put("ev-1", Recording(description="What it is about"))
    site.harvest()
    assert lists(site)[0]["metadataPrefix"] == "matterhorn-inlined"
    assert site.matterhorn[0].description == "What it is about"


def test_dublin_core_is_kept_but_not_catalogued(site: Site) -> None:
    site.settings(prefixes=["oai_dc", "matterhorn-inlined"])
    fill(site, 2)
    site.harvest()
    assert len(site.rows(Record)) == 4
    assert len(site.matterhorn) == 2
    assert len(site.rows(HarvestStream)) == 2


def test_a_prefix_that_is_not_offered_is_an_error_that_names_the_others(site: Site) -> None:
    site.settings(prefixes=["lom"])
    with pytest.raises(ConfigurationError, match="offers matterhorn, matterhorn-inlined, oai_dc, and not lom"):
        site.harvest()


# --- sets -------------------------------------------------------------------------------------------------------------


def test_a_record_of_another_set_is_not_deleted(new_site: Callable[..., Site]) -> None:
    """Opencast lists, for each set, the records that are not in it as deleted."""
    site = new_site(sets=("open", "law"))
    site.add(sets=["open", "law"])
    site.server.put("ev-open", LECTURE, sets=("open",))
    site.server.put("ev-law", LECTURE, sets=("law",))
    site.server.put("ev-none", LECTURE)
    for _ in range(2):
        site.harvest()
        assert site.records() == {"ev-open": "alive", "ev-law": "alive", "ev-none": "deleted"}
        site.clock.tick(1)


def test_a_record_that_leaves_all_harvested_sets_is_deleted(new_site: Callable[..., Site]) -> None:
    site = new_site(sets=("open", "law"))
    site.add(sets=["open", "law"])
    site.server.put("ev-1", LECTURE, sets=("open", "law"))
    site.harvest()
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE, sets=("law",))
    site.harvest()
    assert site.records() == {"ev-1": "alive"}
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    assert site.records() == {"ev-1": "deleted"}


# --- clocks and granularity -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [120, -120])
def test_a_server_whose_clock_is_wrong_loses_nothing(new_site: Callable[..., Site], ahead: int) -> None:
    site = new_site()
    site.server.now = lambda: site.clock.now + timedelta(seconds=ahead)
    site.add()
    identifiers = []
    for number in range(10):
        identifiers += fill(site, 1, every=7, first=number)
        site.harvest()
        site.clock.tick(53)
    assert set(site.records()) == set(identifiers)


def test_a_server_whose_clock_is_set_back_loses_nothing(new_site: Callable[..., Site]) -> None:
    site = new_site()
    ahead = timedelta(seconds=120)
    site.server.now = lambda: site.clock.now + ahead
    site.add()
    fill(site, 3)
    site.harvest()
    site.clock.tick(20)
    ahead = timedelta(0)
    site.server.put("ev-late", LECTURE)
    site.clock.tick(20)
    site.harvest()
    assert "ev-late" in site.records()


def test_our_clock_being_set_back_loses_nothing(site: Site) -> None:
    fill(site, 3)
    site.harvest()
    server_now = site.clock.now
    site.server.now = lambda: server_now
    site.clock.tick(-3600)
    server_now += timedelta(seconds=60)
    site.server.put("ev-new", LECTURE)
    site.harvest()
    assert "ev-new" in site.records()


def test_records_that_appear_late_widen_the_overlap(site: Site) -> None:
    """Another clock stamps the records: they appear with times that were harvested already."""
    site.harvest()
    base = site.clock.now
    site.clock.tick(60)
    site.server.put("ev-late", LECTURE, at=base - timedelta(seconds=100))
    site.harvest()
    assert "ev-late" not in site.records()
    base = site.clock.now
    site.harvest(Mode.FULL)
    assert "ev-late" in site.records()
    late = site.repository.lateness_seconds
    assert late == 160
    began = site.clock.now
    site.clock.tick(60)
    lists(site)
    site.harvest()
    assert lists(site)[0]["from"] == (began - timedelta(seconds=2 * late)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_repository_with_days_is_asked_in_days(new_site: Callable[..., Site]) -> None:
    site = new_site(opencast=False, by_day=True)
    site.add()
    fill(site, 3)
    site.harvest()
    site.clock.tick(60)
    site.server.put("ev-later", LECTURE)
    lists(site)
    site.harvest()
    assert lists(site)[0]["from"] == "2026-11-22"
    assert "ev-later" in site.records()


def test_just_after_midnight_the_overlap_reaches_into_the_day_before(new_site: Callable[..., Site]) -> None:
    site = new_site(opencast=False, by_day=True)
    site.clock.now = datetime(2026, 11, 23, 0, 0, 10, tzinfo=UTC)
    site.add()
    site.harvest()
    lists(site)
    site.clock.tick(60)
    site.harvest()
    assert lists(site)[0]["from"] == "2026-11-22"


def test_days_on_a_server_that_announces_seconds_are_asked_from_their_beginning(
    new_site: Callable[..., Site],
) -> None:
    site = new_site(opencast=False, by_day=True, granularity="YYYY-MM-DDThh:mm:ssZ")
    site.add()
    fill(site, 1)
    report = site.harvest()
    assert "stamps-by-day" in kinds(report.findings)
    site.clock.tick(3600)
    lists(site)
    site.harvest()
    assert lists(site)[0]["from"] == "2026-11-22T00:00:00Z"


# --- windows ----------------------------------------------------------------------------------------------------------


def test_a_window_brings_what_has_a_datestamp_in_it(site: Site) -> None:
    fill(site, 10, every=3600)
    begin = site.server.records["ev-0003"].modified
    end = site.server.records["ev-0005"].modified
    site.harvest(Mode.WINDOW, window=Window(begin, end))
    assert set(site.records()) == {"ev-0003", "ev-0004", "ev-0005"}


def test_a_window_of_one_moment_is_no_error(site: Site) -> None:
    fill(site, 3)
    moment = site.server.records["ev-0001"].modified
    site.harvest(Mode.WINDOW, window=Window(moment, moment))
    assert "ev-0001" in site.records()


def test_a_window_does_not_change_where_the_next_harvest_begins(site: Site) -> None:
    fill(site, 3)
    site.harvest()
    watermark = site.stream.watermark
    site.clock.tick(1000)
    site.harvest(Mode.WINDOW, window=Window.read("2026-11-22", "2026-11-22"))
    lists(site)
    site.harvest()
    assert watermark is not None
    assert lists(site)[0]["from"] == (watermark - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_window_without_borders_and_a_mode_without_window_do_not_fit(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="back-fill"):
        site.harvest(Mode.WINDOW)
    with pytest.raises(ConfigurationError, match="back-fill"):
        site.harvest(window=Window())


# --- counts -----------------------------------------------------------------------------------------------------------


def test_a_list_that_ends_before_its_announced_end_is_read_again_once(new_site: Callable[..., Site]) -> None:
    site = new_site(opencast=False, page_size=10)
    site.add()
    fill(site, 25)
    token = site.server._token
    site.server._token = lambda *args: token(*args).replace('"25"', '"40"')  # type: ignore[method-assign]  # in place of the server's own
    report = site.harvest()
    assert report.records == 50
    assert "wrong-count" in kinds(report.findings)
    assert site.repository.counts_unreliable
    assert site.stream.watermark is not None


def test_a_repository_whose_counts_are_known_to_be_wrong_is_read_once(new_site: Callable[..., Site]) -> None:
    site = new_site(opencast=False, page_size=10)
    site.add(counts_unreliable=True)
    fill(site, 25)
    token = site.server._token
    site.server._token = lambda *args: token(*args).replace('"25"', '"40"')  # type: ignore[method-assign]  # in place of the server's own
    assert site.harvest().records == 25


def test_records_that_moved_across_a_page_border_are_found_by_reading_again(new_site: Callable[..., Site]) -> None:
    """A list by position becomes shorter while it is read: what moved up is on no page."""
    site = new_site(opencast=False, page_size=10, deleted_record="no")
    site.add()
    identifiers = fill(site, 25)
    deleted: list[str] = []

    def delete_one(arguments: dict[str, str]) -> None:
        if "resumptionToken" in arguments and not deleted:
            deleted.append("ev-0002")
            site.server.forget("ev-0002")

    site.server.before_reply = delete_one
    site.harvest()
    assert set(site.records()) >= set(identifiers) - {"ev-0002"}


# --- the repository as others see it ----------------------------------------------------------------------------------


def test_an_error_is_written_down_and_the_repository_left_alone_for_a_while(site: Site) -> None:
    site.server.before_reply = lambda _arguments: Reply(b"", 500)
    pauses = []
    for _ in range(4):
        with pytest.raises(ServerFailure):
            site.harvest()
        assert site.repository.next_due is not None
        pauses.append((site.repository.next_due - site.clock.now).total_seconds())
    assert pauses == [60, 120, 240, 480]
    assert "500" in site.repository.last_error
    assert site.repository.failures == 4
    assert [run.outcome for run in site.runs] == ["failed"] * 4


def test_a_success_forgets_the_errors(site: Site) -> None:
    site.server.before_reply = lambda _arguments: Reply(b"", 500)
    with pytest.raises(ServerFailure):
        site.harvest()
    site.server.before_reply = None
    site.harvest()
    assert (site.repository.last_error, site.repository.failures) == ("", 0)
    assert site.repository.next_due == site.clock.now + timedelta(seconds=60)


def test_a_repository_that_asks_for_a_long_pause_gets_it(site: Site) -> None:
    site.server.before_reply = lambda _arguments: Reply(b"", 503, {"Retry-After": "7200"})
    with pytest.raises(Throttled):
        site.harvest()
    assert site.waits == []
    assert site.repository.next_due == site.clock.now + timedelta(hours=2)


def test_two_harvests_of_one_repository_do_not_overlap(site: Site) -> None:
    inner: list[BaseException] = []

    def harvest_again(arguments: dict[str, str]) -> None:
        if arguments["verb"] == "ListRecords" and not inner:
            try:
                site.harvest()
            except RepositoryBusy as error:
                inner.append(error)

    site.server.before_reply = harvest_again
    fill(site, 3)
    site.harvest()
    assert len(inner) == 1
    assert site.repository.lease_owner is None


def test_a_run_keeps_its_numbers_and_findings(new_site: Callable[..., Site]) -> None:
    site = new_site(precision=timedelta(seconds=1))
    site.add()
    fill(site, 70, every=0.01)
    report = site.harvest()
    run = site.runs[0]
    assert (run.outcome, run.new, run.records, run.requests) == ("done", report.new, report.records, report.requests)
    assert run.findings == list(report.findings)
    assert run.bytes_read > 0


def test_an_unknown_repository_is_an_error_of_configuration(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="no repository 'other'"):
        site.harvest(name="other")
