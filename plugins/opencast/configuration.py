"""Read a YAML file of ``include/config/`` into a pydantic model; errors name file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from opencast.errors import ConfigurationError

ModelT = TypeVar("ModelT", bound=BaseModel)

#: More than any hand-written file needs.
_MAX_BYTES = 1024 * 1024


def read_yaml(path: Path, model: type[ModelT]) -> ModelT:
    """Read and check one file.

    :param path: the file; one that is empty gives the model's defaults.
    :param model: what the file must hold.
    :raises ConfigurationError: unreadable, no YAML, or not what the model wants.
    """
    try:
        text = path.read_bytes()[: _MAX_BYTES + 1].decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from error
    if len(text) > _MAX_BYTES:
        raise ConfigurationError(f"{path} is larger than {_MAX_BYTES} bytes.")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is no YAML: {error}.") from error
    try:
        return model.model_validate({} if value is None else value)
    except ValidationError as error:
        problems = "; ".join(_problem(path, node, detail) for detail in error.errors(include_url=False))
        raise ConfigurationError(f"Wrong configuration: {problems}.") from error


def _problem(path: Path, node: Any, detail: Any) -> str:
    keys = tuple(detail["loc"])
    name = ".".join(str(key) for key in keys) or "the file"
    return f"{path}:{_line(node, keys)}: {name}: {detail['msg']}"


def _line(node: Any, keys: tuple[Any, ...]) -> int:
    """Return the line (from 1) of the node that ``keys`` lead to, or of the last one that exists on the way."""
    line = 1 if node is None else node.start_mark.line + 1
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if pair is None:
                return int(line)
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            return int(line)
    return int(line)
