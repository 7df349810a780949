"""The rooms of the package: imports point one way, and only the Airflow layer imports Airflow."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "plugins" / "opencast"

#: What each room may import of the others. A room that is missing here fails the test.
MAY_IMPORT = {
    "model": set(),
    "api": {"model"},
    "staging": {"model"},
    "store": {"model"},
    "migration": {"model", "api", "staging", "store"},
    "harvest": {"model", "api", "staging", "store"},
    "audit": {"model", "api", "staging", "store", "migration"},
    "cli": {"model", "api", "staging", "store", "migration", "harvest", "hooks"},
    "hooks": {"model", "api", "staging", "store", "migration", "harvest"},
    "triggers": {"model", "api", "staging", "store", "migration", "harvest", "hooks"},
    "links": {"model", "migration", "harvest"},
    "operators": {"model", "api", "staging", "store", "migration", "harvest", "audit", "hooks", "triggers", "links"},
    "timetables": {"migration"},
    "sensors": {"model", "api", "staging", "store", "migration", "harvest", "hooks", "triggers", "links"},
    "web": {"model", "api", "staging", "store", "migration", "harvest", "audit", "hooks"},
}
#: Modules beside the rooms, which every room may import.
SHARED = {"errors", "settings", "configuration", "__init__", "__version__"}
AIRFLOW_LAYER = {"hooks", "operators", "triggers", "sensors", "links", "timetables", "web"}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "versions" not in path.parts)


def imports(path: Path) -> set[str]:
    """Return the dotted names that a module imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(node.module or "")
            if node.module == "opencast":
                names.update(f"opencast.{alias.name}" for alias in node.names)
    return names


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    own = room(path)
    if not own:
        return  # the modules beside the rooms are tested below
    allowed = MAY_IMPORT[own] | SHARED | {own}
    used = {name.split(".")[1] for name in imports(path) if name.startswith("opencast.")}
    assert used <= allowed


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_airflow_layer_imports_airflow(path: Path) -> None:
    if room(path) in AIRFLOW_LAYER:
        return
    assert not [name for name in imports(path) if name.split(".")[0] == "airflow"]


def test_shared_modules_depend_on_no_room() -> None:
    for name in SHARED - {"__init__", "__version__"}:
        used = {found.split(".")[1] for found in imports(PACKAGE / f"{name}.py") if found.startswith("opencast.")}
        assert used <= SHARED


def test_every_folder_is_a_known_room() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert folders <= set(MAY_IMPORT)
