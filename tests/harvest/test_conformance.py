"""Every conversation of ``tests/data/oaipmh`` ends as it must: nothing is lost without being said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import opencast.errors
import opencast.harvest.refusals
import pytest
import requests
from lxml import etree
from opencast.harvest.client import OaiPmhClient
from opencast.harvest.endpoint import Endpoint
from opencast.harvest.harvester import HarvestOptions, harvest
from opencast.harvest.report import HarvestReport
from opencast.harvest.stream_state import Mode
from opencast.store.database import Database
from opencast.store.harvesting import HarvestRun, HarvestStream, Record, Repository
from sqlalchemy import select

from tests.harvest.conftest import Clock
from tests.harvest.conversations import FOLDER, Conversation, Step, conversations, document, envelope
from tests.harvest.oai_server import OaiServer
from tests.harvest.recordings import Recording
from tests.harvest.scripted_server import ScriptedServer
from tests.simulator import Simulator

ALL = conversations()


class Play:
    """A conversation that is being had."""

    def __init__(self, conversation: Conversation, database: Database, server: ScriptedServer) -> None:
        self.conversation = conversation
        self.database = database
        self.server = server
        self.clock = Clock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
        self.waited = 0.0
        with database.session() as session:
            session.add(Repository(name="scripted", url=server.url, **conversation.settings))

    def have(self, step: Step) -> tuple[HarvestReport | None, Exception | None]:
        self.server.play(step.answers)
        self.waited = 0.0
        settings = Endpoint(self.server.url, **{"max_tries": 3, "read_timeout": 5, **self.conversation.endpoint})
        with OaiPmhClient(settings, sleep=self._wait, jitter=lambda: 0.0) as client:
            options = HarvestOptions(clock=self.clock, read_ahead=False)
            try:
                return harvest(self.database, "scripted", client, mode=Mode(step.mode), options=options), None
            except Exception as error:
                return None, error
            finally:
                self.clock.tick(60)

    def _wait(self, seconds: float) -> None:
        self.waited += seconds

    def watermark(self) -> datetime | None:
        with self.database.reading() as session:
            return session.scalars(select(HarvestStream.watermark)).one_or_none()

    def records(self) -> dict[str, str]:
        kinds = {True: "deleted", False: "alive"}
        with self.database.reading() as session:
            rows = list(session.scalars(select(Record)))
        # A record without identifier is kept under a name made of its content.
        return {
            row.identifier.partition(":")[0] if row.identifier.startswith("unidentified:") else row.identifier: (
                "unreadable" if row.error else kinds[row.deleted]
            )
            for row in rows
        }


@pytest.mark.parametrize("conversation", ALL, ids=str)
def test_conversation(conversation: Conversation, database: Database) -> None:
    with ScriptedServer(conversation) as server:
        play = Play(conversation, database, server)
        for step in conversation.steps:
            before = play.watermark()
            _, error = play.have(step)
            assert type(error).__name__ == (step.error or "NoneType"), error
            with database.reading() as session:
                run = session.scalars(select(HarvestRun)).all()[-1]
            found = {finding.partition(":")[0] for finding in run.findings}
            assert found - {"resumed"} == step.findings
            assert ("moved" if play.watermark() != before else "kept") == step.watermark
            assert play.waited >= step.waited
            assert (server.left, server.surplus, server.wrong) == (0, 0, [])
        assert play.records() == conversation.records


@pytest.mark.parametrize("conversation", ALL, ids=str)
def test_nothing_is_lost_in_silence(conversation: Conversation, database: Database) -> None:
    """Whatever a repository does: what it holds is in the catalogue, or an error or a finding says what is wrong."""
    with ScriptedServer(conversation) as server:
        play = Play(conversation, database, server)
        told = False
        for step in conversation.steps:
            report, error = play.have(step)
            told = error is not None or bool(report and report.findings)
        lost = conversation.holds - {key for key, state in play.records().items() if state != "deleted"}
        assert told or not lost


def test_there_are_enough_conversations_and_each_has_its_own_name() -> None:
    assert len(ALL) >= 80
    assert [name for name, count in Counter(map(str, ALL)).items() if count > 1] == []
    assert all(conversation.why.endswith(".") for conversation in ALL)


def test_errors_of_the_conversations_exist() -> None:
    names = {step.error for conversation in ALL for step in conversation.steps if step.error}
    assert all(hasattr(opencast.errors, name) or hasattr(opencast.harvest.refusals, name) for name in names)


def test_answers_that_should_be_valid_are(schema: etree.RelaxNG) -> None:
    """Fixtures that break the protocol do it on purpose: all others follow it to the letter."""
    documents = [
        answer.document
        for conversation in ALL
        for step in conversation.steps
        for answer in step.answers
        if answer.document is not None
    ]
    assert len(documents) > 60
    for text in documents:
        schema.assertValid(etree.fromstring(text))


def test_the_schema_finds_what_is_wrong(schema: etree.RelaxNG) -> None:
    wrong = (
        envelope("<ListRecords/>"),
        envelope('<error code="noRecordMatches"/>'),
        document({"list": ["r1@yesterday"]}),
        document({"list": ["r1"]}).replace(' xmlns="http://www.openarchives.org/OAI/2.0/"', ""),
    )
    assert [schema.validate(etree.fromstring(text.encode())) for text in wrong] == [False] * len(wrong)


VERBS = (
    "verb=Identify",
    "verb=ListMetadataFormats",
    "verb=ListSets",
    "verb=ListIdentifiers&metadataPrefix=oai_dc",
    "verb=ListRecords&metadataPrefix=oai_dc",
    "verb=ListRecords&metadataPrefix=matterhorn-inlined",
    "verb=GetRecord&metadataPrefix=oai_dc&identifier=ev-1",
    "verb=GetRecord&metadataPrefix=oai_dc&identifier=nothing",
    "verb=Nothing",
    "verb=ListRecords&resumptionToken=nothing",
)


@pytest.mark.parametrize("query", VERBS)
@pytest.mark.parametrize("opencast", [True, False])
def test_answers_of_the_server_for_tests_are_valid(schema: etree.RelaxNG, query: str, opencast: bool) -> None:
    server = OaiServer(now=Clock(), opencast=opencast, page_size=2, sets=("a", "a:b"))
    for number in range(4):
        server.put(f"ev-{number}", Recording(series="algo"), sets=("a",))
    server.delete("ev-0")
    schema.assertValid(etree.fromstring(server.reply(dict(parse_qsl(query))).body))


@pytest.mark.parametrize("query", VERBS)
def test_answers_of_the_simulator_are_valid_but_for_opencasts_own_error(
    schema: etree.RelaxNG, query: str, simulators: Callable[..., Simulator]
) -> None:
    """Opencast leaves ``adminEmail`` empty, as the recordings show, and so does the simulator."""
    simulator = simulators("recorded", oai_records=72, oai_open=True)
    answer = requests.get(f"{simulator.url}/oaipmh/default?{query}", timeout=10)
    schema.assertValid(etree.fromstring(answer.content.replace(b"<adminEmail/>", b"<adminEmail>a@b.c</adminEmail>")))


@pytest.fixture(scope="module")
def schema() -> etree.RelaxNG:
    """The rules of sections 3 and 4 of the protocol, written for these tests.

    It was compared with the protocol's own OAI-PMH.xsd: both agree on all answers of the conversations, valid or not.
    """
    return etree.RelaxNG(etree.parse(FOLDER / "envelope.rng"))
