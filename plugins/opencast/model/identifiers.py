"""Check ids and file names that come from a server before they become parts of paths, URLs or documents."""

from __future__ import annotations

import re

from opencast.errors import InvalidIdentifier

#: Opencast keeps ids of mediapackages, elements and series in columns of this many characters.
MAX_ID_LENGTH = 128
#: Longest name of a file on the usual file systems, in bytes.
MAX_NAME_BYTES = 255

# What Opencast's constructor of a mediapackage id accepts; Java's \w is ASCII only.
_MEDIAPACKAGE_ID = re.compile(r"[A-Za-z0-9_\-.:;()]+")
# The separator of folders, and characters that make a name look like another one or break a line of a log.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNSAFE_IN_PATH = re.compile(f"/|{_UNSAFE.pattern}")
# The working file repository replaces each match by "_". "$" of Java also matches before a last line break.
_UNSAFE_IN_NAME = re.compile(r"^[^A-Za-z0-9_]|[^A-Za-z0-9_\-.]|\.\.|\.(?=(?:\r\n|[\n\r\u0085\u2028\u2029])?\Z)")


def check_mediapackage_id(identifier: str) -> str:
    """Return a mediapackage id (also called event id) that Opencast accepts and that is safe as a folder name.

    Opencast's own rule allows ``..``, but its file repository refuses it, and so does this check.

    :raises InvalidIdentifier: another character than letters, digits and ``_-.:;()``, ``..``, too long, or empty.
    """
    if _MEDIAPACKAGE_ID.fullmatch(identifier) is None:
        raise InvalidIdentifier(
            f"{shown(identifier)} is no id of a mediapackage: only ASCII letters, digits and _-.:;()."
        )
    return _check_path_part(identifier, "mediapackage")


def check_element_id(identifier: str) -> str:
    """Return the id of a mediapackage element that is safe as the name of a folder and of a file.

    Element ids are free text for Opencast; blanks and umlauts are accepted.

    :raises InvalidIdentifier: empty, ``.``, with ``/``, ``..``, NUL, control characters, or too long.
    """
    return _check_path_part(identifier, "element")


def check_series_id(identifier: str) -> str:
    """Return a series id that is safe as an escaped part of a URL's path; nothing else is made of it.

    Learning management systems take their own addresses as ids: slashes are usual, and Opencast takes them.

    :raises InvalidIdentifier: empty, with a part ``.`` or ``..``, NUL, control characters, or too long.
    """
    if not identifier or {".", ".."} & set(identifier.split("/")) or _UNSAFE.search(identifier):
        raise InvalidIdentifier(f"{shown(identifier)} is no usable id of a series.")
    return _check_length(identifier, "series")


def check_channel(channel: str) -> str:
    """Return the id of a publication channel that is safe as the name of a folder, which it is on the target.

    :raises InvalidIdentifier: empty, ``.``, with ``/``, ``..``, NUL, control characters, or too long.
    """
    return _check_path_part(channel, "publication channel")


def check_file_name(name: str) -> str:
    """Return the name of a file that names a file in its folder and nothing else.

    :raises InvalidIdentifier: empty, ``.``, ``..``, with ``/``, NUL, control characters, or more than 255 bytes.
    """
    if name in {"", ".", ".."} or _UNSAFE_IN_PATH.search(name):
        raise InvalidIdentifier(f"{shown(name)} is no name of a file.")
    if len(name.encode("utf-8")) > MAX_NAME_BYTES:
        raise InvalidIdentifier(f"The file name {shown(name)} is longer than {MAX_NAME_BYTES} bytes.")
    return name


def safe_file_name(name: str) -> str:
    """Return the name under which Opencast's working file repository stores an uploaded file.

    The rule is the one of ``POST /files/mediapackage/{mediapackage}/{element}``: folders are cut off, then base name
    and extension are made safe each on its own, so that ``a file ü.txt`` becomes ``a_file__.txt``.

    :param name: the file's name as it is sent along, possibly with folders of either kind of slash.
    :raises InvalidIdentifier: nothing is left of the name, or it holds NUL, which the server refuses.
    """
    last = re.split(r"[/\\]", name)[-1]
    if "\0" in name:
        raise InvalidIdentifier(f"{shown(name)} is no name of a file.")
    base, dot, extension = last.rpartition(".")
    if not dot:
        base, extension = last, ""
    base, extension = (_UNSAFE_IN_NAME.sub("_", part)[:MAX_NAME_BYTES] for part in (base, extension))
    safe = f"{base}.{extension}" if extension else base
    if not safe:
        raise InvalidIdentifier(f"{shown(name)} is no name of a file.")
    return safe


def shown(text: str) -> str:
    """Return a quoted, shortened form of a hostile text that is safe in messages and logs.

    Characters that cannot be printed, such as line breaks and marks that turn the direction of text, are escaped.
    """
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def printable(text: str) -> str:
    """Return a text as it is, but cut when it is long, and with escapes for characters that cannot be printed."""
    short = text if len(text) <= 200 else f"{text[:199]}…"
    return short if short.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in short)


def _check_path_part(identifier: str, kind: str) -> str:
    if identifier in {"", "."} or ".." in identifier or _UNSAFE_IN_PATH.search(identifier):
        raise InvalidIdentifier(f"{shown(identifier)} is no usable {kind} id.")
    return _check_length(identifier, kind)


def _check_length(identifier: str, kind: str) -> str:
    if len(identifier) > MAX_ID_LENGTH or len(identifier.encode("utf-8")) > MAX_NAME_BYTES:
        raise InvalidIdentifier(f"The {kind} id {shown(identifier)} is longer than {MAX_ID_LENGTH} characters.")
    return identifier
