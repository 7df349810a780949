"""Profiles: sets of params under a name, kept in ``include/config/profiles.yaml``, that the forms offer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

from opencast.audit.options import AuditOptions
from opencast.configuration import read_yaml
from opencast.errors import InvalidFilter
from opencast.migration.options import Options
from opencast.settings import config_folder

FILE_NAME = "profiles.yaml"
#: The param of the form that names a profile.
PARAM = "profile"
#: What the form sends when no profile is wanted.
NO_PROFILE = "none"


def _optional(model: type[BaseModel]) -> dict[str, Any]:
    """Return every field of a model as one that may be missing, with the same type and bounds."""
    found: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        kind: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        found[name] = (kind | None, None)
    return found


#: What a profile may set: any param of a migration or of an audit.
ProfileParams = create_model(
    "ProfileParams",
    __config__=ConfigDict(extra="forbid", frozen=True),
    **{**_optional(AuditOptions), **_optional(Options)},
)


class Profile(BaseModel):
    """One profile. A form takes those of its params that it has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = Field(description="One line, shown in the form.")
    params: ProfileParams = Field(  # type: ignore[valid-type]  # made above out of the options
        description="Params of the form by name, with the values that they get."
    )

    def values(self) -> dict[str, Any]:
        """Return the params that the profile sets, as a form would send them."""
        params: BaseModel = self.params
        return params.model_dump(mode="json", exclude_unset=True)


class _Profiles(RootModel[dict[str, Profile]]):
    root: dict[str, Profile] = {}


def load_profiles() -> dict[str, Profile]:
    """Read all profiles by name; none when there is no file.

    :raises ConfigurationError: naming file, line and key of what cannot be used.
    """
    path = config_folder() / FILE_NAME
    return read_yaml(path, _Profiles).root if path.exists() else {}


def with_profile(params: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return a run's params with those of its profile in the fields that were left as they are.

    What somebody has changed in the form wins over the profile.

    :param params: of a DAG run; the name of the profile is taken out.
    :param model: the options of the DAG.
    :raises InvalidFilter: there is no such profile.
    """
    values = dict(params)
    name = str(values.pop(PARAM, None) or NO_PROFILE).strip()
    if name == NO_PROFILE:
        return values
    profiles = load_profiles()
    if name not in profiles:
        known = ", ".join(sorted(profiles)) or "there are none"
        raise InvalidFilter(f"There is no profile {name!r} in {FILE_NAME}.", advice=f"Known profiles: {known}.")
    for key, value in profiles[name].values().items():
        if key in model.model_fields and _is_untouched(values.get(key), model.model_fields[key].get_default()):
            values[key] = value
    return values


def _is_untouched(value: Any, default: Any) -> bool:
    plain = default.value if isinstance(default, Enum) else default
    return value in (None, "", [], ()) or value == plain
