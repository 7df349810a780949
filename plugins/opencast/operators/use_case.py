"""The base of this package's operators: call a use case, and turn its outcome into the state of the task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from opencast.errors import OpencastError


class UseCaseOperator(BaseOperator):
    """Base of the operators; each says in ``work`` what it does."""

    def execute(self, context: Context) -> Any:
        """Run the use case."""
        with tried_again_only_if_it_helps():
            return self.work(context)

    def work(self, context: Context) -> Any:
        """Do the task's work."""
        raise NotImplementedError


@contextmanager
def tried_again_only_if_it_helps() -> Iterator[None]:
    """End the task without further tries when an error does not pass by itself.

    :raises AirflowFailException: an ``OpencastError`` that is not worth another try.
    """
    try:
        yield
    except OpencastError as error:
        if error.retriable:
            raise
        raise AirflowFailException(str(error)) from error
