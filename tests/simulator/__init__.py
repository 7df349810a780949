"""An Opencast server for tests: real HTTP, real files, real workflow operations. See README.md."""

from tests.simulator.libraries import Library
from tests.simulator.server import Simulator
from tests.simulator.settings import Organization, Settings, User

__all__ = ["Library", "Organization", "Settings", "Simulator", "User"]
