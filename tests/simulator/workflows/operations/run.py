"""What an operation gets, and how it ends otherwise than well."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.simulator.assets import AssetManager
from tests.simulator.distribution import Distribution
from tests.simulator.mediapackage import Element, MediaPackage, flavor_matches
from tests.simulator.state import State
from tests.simulator.workflows.instance import Instance, Operation


class OperationFailed(RuntimeError):
    """The operation ends in state FAILED."""


class Skipped(Exception):
    """The operation ends in state SKIPPED."""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of an operation."""

    instance: Instance
    operation: Operation
    state: State
    assets: AssetManager
    distribution: Distribution
    longest_pause: float

    @property
    def package(self) -> MediaPackage:
        """The package of the workflow."""
        return self.instance.package

    @property
    def org(self) -> str:
        """The organization in which the workflow runs."""
        return self.instance.org

    @property
    def base_url(self) -> str:
        """Address of this server."""
        return self.assets.workspace.base_url

    def text(self, key: str, default: str = "") -> str:
        """Give a configuration value, trimmed."""
        return (self.operation.configuration.get(key) or default).strip()

    def flag(self, key: str, default: bool = False) -> bool:
        """Give a configuration value as a boolean."""
        value = self.text(key)
        return value.lower() in ("true", "yes", "on", "y", "t") if value else default

    def words(self, key: str) -> list[str]:
        """Give a comma separated configuration value."""
        return [word.strip() for word in self.text(key).split(",") if word.strip()]

    def select(self, flavors: list[str], tags: list[str], *, both: bool = False) -> list[Element]:
        """Select from the package's own elements by flavor or tag (or by both)."""
        return select(self.package.elements, flavors, tags, both=both)


def select(elements: Iterable[Element], flavors: list[str], tags: list[str], *, both: bool = False) -> list[Element]:
    """Select elements; nothing asked for selects nothing, ``-tag`` excludes.

    :raises OperationFailed: when a flavor is malformed.
    """
    excluded = {tag[1:] for tag in tags if tag.startswith("-")}
    wanted = {tag for tag in tags if not tag.startswith("-")}
    if any(flavor.count("/") != 1 for flavor in flavors):
        raise OperationFailed(f"a flavor is malformed: {flavors}")
    result = []
    for element in elements:
        if excluded & element.tags or not (flavors or wanted):
            continue
        by_flavor = any(flavor_matches(pattern, element.flavor) for pattern in flavors)
        by_tag = bool(wanted & element.tags)
        chosen = (by_flavor or not flavors) and (by_tag or not wanted) if both else by_flavor or by_tag
        if chosen:
            result.append(element)
    return result
