"""Fixtures for audits: the pairs of the migration, and an audit of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opencast.api.opencast import Opencast
from opencast.audit.bench import AuditBench
from opencast.audit.options import AuditOptions
from opencast.audit.report import AuditReport
from opencast.store.audits import Check, Finding

from tests.migration.conftest import pairs
from tests.migration.pair import Pair, server

__all__ = ["audit", "pairs"]
KEY = "opencast_audit/run"


@dataclass
class Audited:
    """What an audit found."""

    findings: list[Finding]
    report: AuditReport

    def of(self, check: Check) -> dict[str, Finding]:
        """Return the findings of one check by id."""
        return {found.identifier: found for found in self.findings if found.check is check}

    @property
    def compared(self) -> dict[str, Finding]:
        """The findings of the comparison by id."""
        return self.of(Check.COMPARISON)


@pytest.fixture
def audit() -> Callable[..., Audited]:
    """Audit a pair as the tasks of the DAG do: ``audit(pair, verify="bytes")``."""

    def run(pair: Pair, **params: Any) -> Audited:
        options = AuditOptions.from_params(params)
        target = None if options.target is None else Opencast(server(pair.target))
        source = Opencast(server(pair.source))
        with AuditBench(pair.settings, options, pair.database, KEY, source, target) as bench:
            parts = bench.begin()
            bench.audit_objects()
            for part in parts:
                bench.audit_events(part)
            bench.check_indexes()
            return Audited(list(bench.audits.findings(KEY)), bench.reporter().write(KEY))

    return run


@pytest.fixture
def pair(pairs: Callable[..., Pair]) -> Iterator[Pair]:
    """A source with the recorded library, and an empty target."""
    yield pairs()
