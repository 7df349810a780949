"""What a server says about itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from opencast.api.client import Client
from opencast.api.info import InfoService, ServerVersion
from opencast.api.opencast import Opencast
from opencast.errors import AuthenticationFailed, Forbidden, InvalidAnswer, NotFound, WrongOrganization

from tests.api.recorded import recorded_text, replay
from tests.api.scripted_server import Answer, ScriptedServer, json_answer

Connect = Callable[..., Client]
ALL_BUNDLES = "/sysinfo/bundles/version"


def test_me_is_read_from_the_recording(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "preflight/me")
    me = opencast.info.me()
    assert (me.username, me.name, me.organization, me.admin_role) == (
        "admin",
        "Administrator",
        "mh_default_org",
        "ROLE_ADMIN",
    )
    assert "ROLE_SUDO" in me.roles
    assert me.properties["org.opencastproject.oaipmh.server.hosturl"] == server.url
    assert me.is_admin
    assert me.may_run_as
    assert not me.is_anonymous


def test_a_login_that_ends_up_as_anonymous_has_failed(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "auth/me_anonymous")
    with pytest.raises(AuthenticationFailed, match="anonymous"):
        opencast.info.me()


def test_without_login_everybody_is_anonymous(server: ScriptedServer, connect: Connect) -> None:
    replay(server, "auth/me_anonymous")
    me = InfoService(connect(server, auth="none")).me()
    assert me.is_anonymous
    assert not me.is_admin
    assert me.roles == {"ROLE_ANONYMOUS"}


def test_a_wrong_password_is_told_apart_from_anonymous(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "auth/me_wrong_password")
    with pytest.raises(AuthenticationFailed, match="Bad credentials"):
        opencast.info.me()


def test_an_account_without_the_admin_role_is_no_admin(server: ScriptedServer, opencast: Opencast) -> None:
    document = json.loads(recorded_text("preflight/me"))
    document["roles"] = ["ROLE_USER"]
    server.on("GET", "/info/me.json", json_answer(json.dumps(document)))
    assert not opencast.info.me().is_admin
    document["roles"] = ["ROLE_TENANT_ADMIN"]
    document["org"]["adminRole"] = "ROLE_TENANT_ADMIN"
    server.on("GET", "/info/me.json", json_answer(json.dumps(document)))
    assert opencast.info.me().is_admin


def test_an_organization_without_admin_role_makes_nobody_admin(server: ScriptedServer, opencast: Opencast) -> None:
    document = json.loads(recorded_text("preflight/me"))
    document["roles"] = ["", "ROLE_USER"]
    document["org"]["adminRole"] = ""
    server.on("GET", "/info/me.json", json_answer(json.dumps(document)))
    assert not opencast.info.me().is_admin


def test_another_organization_than_the_wanted_one_is_an_error(server: ScriptedServer, connect: Connect) -> None:
    replay(server, "preflight/me")
    assert InfoService(connect(server, organization="mh_default_org")).me().organization == "mh_default_org"
    with pytest.raises(WrongOrganization, match="'tenant-2'"):
        InfoService(connect(server, organization="tenant-2")).me()


def test_an_unknown_organization_is_named(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/info/me.json", Answer(403))
    with pytest.raises(WrongOrganization, match="'tenant-2'"):
        InfoService(connect(server, organization="tenant-2")).me()
    with pytest.raises(Forbidden):
        InfoService(connect(server, run_as="nobody", organization="tenant-2")).me()


@pytest.mark.parametrize("body", ["[]", "{}", '{"user": {}, "org": {}}', '{"user": {"username": "a"}}'])
def test_an_answer_of_another_form_is_refused(server: ScriptedServer, opencast: Opencast, body: str) -> None:
    server.on("GET", "/info/me.json", json_answer(body))
    with pytest.raises(InvalidAnswer):
        opencast.info.me()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("17.0.0.SNAPSHOT", (17, 0, 0)),
        ("17.0.0-SNAPSHOT", (17, 0, 0)),
        ("15.11.0", (15, 11, 0)),
        ("15.11", (15, 11, 0)),
        ("9-SNAPSHOT", (9, 0, 0)),
        ("v1.10.0", (1, 10, 0)),
        ("1.6.3", (1, 6, 3)),
        (" 18.2.1\n", (18, 2, 1)),
    ],
)
def test_versions_are_read(text: str, numbers: tuple[int, int, int]) -> None:
    version = ServerVersion.parse(text)
    assert (version.major, version.minor, version.patch) == numbers
    assert str(version) == text.strip()


@pytest.mark.parametrize("text", ["", "develop", "-1.0"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidAnswer):
        ServerVersion.parse(text)


def test_versions_are_ordered_by_number() -> None:
    assert ServerVersion.parse("9.12.0") < ServerVersion.parse("15.2") < ServerVersion.parse("15.11.0")
    assert ServerVersion.parse("17.0.0-SNAPSHOT") == ServerVersion.parse("17.0.0.SNAPSHOT")


@pytest.mark.parametrize(("version", "major", "minor"), [(17, 17, 0), (15, 15, 11)])
def test_the_recorded_versions_are_read(
    server: ScriptedServer, opencast: Opencast, version: int, major: int, minor: int
) -> None:
    replay(server, "preflight/bundles", version=version)
    found = opencast.info.version()
    assert (found.major, found.minor) == (major, minor)


def test_a_node_in_mid_update_counts_as_its_oldest_part(server: ScriptedServer, opencast: Opencast) -> None:
    versions = '{"consistent": false, "versions": [{"version": "16.6.0"}, {"version": "15.11.0"}]}'
    server.on("GET", ALL_BUNDLES, json_answer(versions))
    assert opencast.info.version().major == 15


def test_a_matterhorn_is_recognised(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", f"{ALL_BUNDLES}?prefix=opencast", Answer(404))
    server.on("GET", f"{ALL_BUNDLES}?prefix=matterhorn", json_answer('{"consistent": true, "version": "2.3.5"}'))
    assert opencast.info.version().major == 2


def test_something_else_has_no_version(server: ScriptedServer, opencast: Opencast) -> None:
    with pytest.raises(NotFound):
        opencast.info.version()
    server.on("GET", ALL_BUNDLES, json_answer('{"consistent": false, "versions": []}'))
    with pytest.raises(InvalidAnswer):
        opencast.info.version()


def test_handlers_without_id_are_left_out_of_the_operations(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "preflight/handlers")
    operations = opencast.info.operations()
    assert {"snapshot", "publish-engage", "publish-configure", "cleanup", "tag"} <= operations
    assert "" not in operations


@pytest.mark.parametrize(("version", "default"), [(17, "v1.11.0"), (15, "v1.10.0")])
def test_the_newest_version_of_the_external_api_is_known(
    server: ScriptedServer, opencast: Opencast, version: int, default: str
) -> None:
    replay(server, "preflight/api_version", version=version)
    assert opencast.info.api_versions().default == default
    assert "v1.0.0" in opencast.info.api_versions().all
    assert opencast.info.api_version() == ServerVersion.parse(default)


def test_the_organization_is_read(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "preflight/api_org")
    organization = opencast.info.organization()
    assert (organization.id, organization.admin_role) == ("mh_default_org", "ROLE_ADMIN")


def test_health_is_read(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "preflight/health")
    assert (opencast.info.health().status, opencast.info.health().release) == ("pass", "17.0.0.SNAPSHOT")


def test_services_are_a_list_for_one_and_for_none(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "preflight/services_ingest", "preflight/services_none")
    (host,) = opencast.info.services("org.opencastproject.ingest")
    assert (host.host, host.path, host.online, host.maintenance) == (server.url, "/ingest", True, False)
    assert opencast.info.services("org.example.none") == ()


def test_components_are_read(server: ScriptedServer, opencast: Opencast) -> None:
    components = (
        '{"engage": "http://h", "rest": [{"path": "/ingest", "type": "t", "version": "1", "description": "d"}]}'
    )
    server.on("GET", "/info/components.json", json_answer(components))
    assert [component.path for component in opencast.info.components()] == ["/ingest"]


def test_the_clock_is_the_date_of_an_answer(server: ScriptedServer, opencast: Opencast) -> None:
    answer = Answer(200, b"{}", {"Date": "Sun, 22 Nov 2026 02:37:17 GMT"})
    server.on("GET", "/info/me.json", answer)
    assert opencast.info.clock() == datetime(2026, 11, 22, 2, 37, 17, tzinfo=UTC)
    assert opencast.info.clock_offset() is not None


def test_a_server_without_clock_is_no_error(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/info/me.json", Answer(200, b"{}"))
    assert opencast.info.clock() is None
    assert opencast.info.clock_offset() is None
