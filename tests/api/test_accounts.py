"""Totals of accounts: of the whole list, not of the page that is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opencast.api.accounts import AccountsService
from opencast.api.client import Client
from opencast.errors import InvalidAnswer

from tests.api.scripted_server import ScriptedServer, json_answer
from tests.simulator import Simulator, User


@pytest.fixture
def accounts(connect: Callable[..., Client], simulators: Callable[..., Simulator]) -> AccountsService:
    users = (User("admin", "s3cret-pass-word", roles=("ROLE_ADMIN", "ROLE_ANONYMOUS")), User("a", "x"), User("b", "x"))
    return AccountsService(connect(simulators("empty", users=users).url))


def test_all_users_are_counted_although_one_row_is_asked_for(accounts: AccountsService) -> None:
    assert accounts.users() == 3


def test_groups_and_templates_are_counted(accounts: AccountsService) -> None:
    assert (accounts.groups(), accounts.access_lists()) == (0, 0)


@pytest.mark.parametrize("body", ["{}", '{"total": "many"}', '{"total": -1}', "[]"])
def test_an_answer_without_a_total_is_refused(
    connect: Callable[..., Client], server: ScriptedServer, body: str
) -> None:
    server.on("GET", "/admin-ng/users/users.json", json_answer(body))
    with pytest.raises(InvalidAnswer):
        AccountsService(connect(server)).users()
