"""How much is accepted from a repository: nothing that it sends may fill the memory, the disk or an index."""

from __future__ import annotations

#: Largest page after decompression, in bytes. Opencast's pages of 50 records have about 100 kB.
MAX_PAGE_BYTES = 64 * 1024 * 1024
#: Largest answer with an error status that is looked into, in bytes.
MAX_ERROR_BYTES = 1024 * 1024
#: Longest identifier of a record, series or track, in UTF-8 bytes: PostgreSQL's indexes take 2,700 bytes an entry.
MAX_IDENTIFIER_BYTES = 1000
#: Longest text of a database's findings and error columns, in characters.
MAX_MESSAGE = 2000
#: Findings that one run keeps; a repository that breaks a rule breaks it on every page.
MAX_FINDINGS = 50


def fits_index(identifier: str) -> bool:
    """Tell whether an identifier is short enough to be looked up."""
    # A character takes up to four bytes.
    length = len(identifier)
    return length * 4 <= MAX_IDENTIFIER_BYTES or len(identifier.encode()) <= MAX_IDENTIFIER_BYTES


def clipped(text: str, length: int = MAX_MESSAGE) -> str:
    """Cut a text for a log or an error column."""
    return text if len(text) <= length else f"{text[: length - 4]} ..."
