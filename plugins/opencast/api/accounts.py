"""How many users, groups and templates of access lists a server has (``/admin-ng``)."""

from __future__ import annotations

from opencast.api import fields
from opencast.api.client import Client
from opencast.errors import InvalidAnswer


class AccountsService:
    """Lists of the user interface, read for their totals: needs ROLE_ADMIN or the roles of the user interface."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def users(self) -> int:
        """Count the users of all providers that can list them (``GET /admin-ng/users/users.json``)."""
        return self._total("/admin-ng/users/users.json")

    def groups(self) -> int:
        """Count the groups (``GET /admin-ng/groups/groups.json``)."""
        return self._total("/admin-ng/groups/groups.json")

    def access_lists(self) -> int:
        """Count the templates of access lists (``GET /admin-ng/acl/acls.json``)."""
        return self._total("/admin-ng/acl/acls.json")

    def _total(self, where: str) -> int:
        # A limit of 0 would mean another thing to each of the three.
        document = fields.an_object(self._client.get_json(where, params={"limit": 1}), what=where)
        total = fields.integer(document, "total")
        if total is None or total < 0:
            raise InvalidAnswer(f"{where} names no total.")
        return total
