"""From an Airflow connection to an OAI-PMH client, and to the harvest with its logins in connections."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from opencast.errors import ConfigurationError, OpencastError
from opencast.harvest.client import OaiPmhClient
from opencast.harvest.endpoint import HttpMethod
from opencast.harvest.formats import ask
from opencast.harvest.logins import Login, client_for_repository, login_of
from opencast.harvest.service import HarvestService
from opencast.hooks.store import open_store
from opencast.settings import Settings
from opencast.store.harvesting import Repository


class OaiPmhHook(BaseHook):
    """Talk to one OAI-PMH repository, also outside of the catalogue.

    :param oaipmh_conn_id: connection with login and password; its host is the only one that gets them.
    :param base_url: the repository's base URL; without it, the connection's host is taken, which must then be a URL.
    :param http_method: how arguments are sent.
    """

    conn_name_attr = "oaipmh_conn_id"
    default_conn_name = "oaipmh_default"
    hook_name = "OAI-PMH"

    def __init__(
        self, oaipmh_conn_id: str = default_conn_name, *, base_url: str | None = None, http_method: HttpMethod = "GET"
    ) -> None:
        super().__init__()
        self.oaipmh_conn_id = oaipmh_conn_id
        self._base_url = base_url
        self._http_method = http_method

    def get_conn(self) -> OaiPmhClient:
        """Return a client; it is a sickle client, and strict.

        :raises ConfigurationError: the connection cannot be used.
        """
        login = read_login(self.oaipmh_conn_id)
        url = self._base_url or login.host
        return client_for_repository(
            Repository(name=self.oaipmh_conn_id, url=url, http_method=self._http_method), login
        )

    def test_connection(self) -> tuple[bool, str]:
        """Ask the repository what it is; called by the Test button of the connection form."""
        try:
            with self.get_conn() as client:
                identify, formats = ask(client)
        except OpencastError as error:
            return False, str(error)
        prefixes = ", ".join(found.prefix for found in formats)
        return True, f"{identify.name}: {identify.granularity}, formats {prefixes}."


def read_login(connection_id: str) -> Login:
    """Read a login from an Airflow connection.

    :raises ConfigurationError: there is no such connection.
    """
    try:
        connection: Any = BaseHook.get_connection(connection_id)
    except AirflowNotFoundException as error:
        raise ConfigurationError(
            f"There is no connection {connection_id!r}.", advice="Add it, or correct the repository's settings."
        ) from error
    return login_of(connection)


def open_harvest(settings: Settings) -> HarvestService:
    """Open the harvest over the installation's store, brought up to the file of repositories."""
    service = HarvestService(open_store(settings), read_login)
    service.synchronise()
    return service
