"""How much a server has of what no interface can bring to another one: accounts, annotations, statistics."""

from __future__ import annotations

from opencast.api import fields
from opencast.api.client import Client
from opencast.errors import InvalidAnswer


class AccountsService:
    """Lists that are read for their totals: need ROLE_ADMIN, or the roles of the user interface."""

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

    def annotations(self) -> int:
        """Count the annotations (``GET /annotation/annotations.json``)."""
        return self._total("/annotation/annotations.json", root="annotations")

    def user_actions(self) -> int:
        """Count what users of the player did (``GET /usertracking/actions.json``)."""
        return self._total("/usertracking/actions.json", root="actions")

    def _total(self, where: str, root: str = "") -> int:
        # A limit of 0 would mean another thing to each of them.
        document = fields.an_object(self._client.get_json(where, params={"limit": 1}), what=where)
        if root:
            document = fields.an_object(document.get(root), what=where)
        total = fields.integer(document, "total")
        if total is None or total < 0:
            raise InvalidAnswer(f"{where} names no total.")
        return total
