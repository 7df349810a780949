"""The errors that a repository answers with (OAI-PMH 2.0, section 3.6): sickle's classes, with a place in ours."""

from __future__ import annotations

from datetime import datetime

from sickle import oaiexceptions

from opencast.api import answers
from opencast.errors import HarvestError


class OaiError(HarvestError, oaiexceptions.OAIError):  # type: ignore[misc]  # sickle has no types
    """A repository's error.

    :param code: as the repository wrote it.
    :param said: its explanation, which is shown shortened and on one line.
    :param response_date: the repository's clock; None when it does not tell.
    """

    def __init__(
        self, code: str, said: str = "", *, response_date: datetime | None = None, advice: str | None = None
    ) -> None:
        shown = answers.clean(code)[:80] or "an error without code"
        explanation = answers.quote(said.encode("utf-8", errors="replace"))
        super().__init__(f"The repository answered {shown}{': ' + explanation if explanation else '.'}", advice=advice)
        self.code = code
        self.response_date = response_date


class BadArgument(OaiError, oaiexceptions.BadArgument):  # type: ignore[misc]
    """The request has arguments that the repository does not accept."""

    advice = "Check prefixes and sets of the repository's settings."


class BadVerb(OaiError, oaiexceptions.BadVerb):  # type: ignore[misc]
    """The address answers OAI-PMH, but did not see the verb."""

    advice = "Check the repository's address: a redirect or proxy may drop the query."


class BadResumptionToken(OaiError, oaiexceptions.BadResumptionToken):  # type: ignore[misc]
    """The token has expired, or was lost with the server's memory."""


class CannotDisseminateFormat(OaiError, oaiexceptions.CannotDisseminateFormat):  # type: ignore[misc]
    """The repository does not offer the metadata prefix."""

    advice = "Choose one of the prefixes that the repository announces with ListMetadataFormats."


class IdDoesNotExist(OaiError, oaiexceptions.IdDoesNotExist):  # type: ignore[misc]
    """The repository has no record of this identifier."""


class NoMetadataFormats(OaiError, oaiexceptions.NoMetadataFormat):  # type: ignore[misc]
    """The record is available in no format."""


class NoRecordsMatch(OaiError, oaiexceptions.NoRecordsMatch):  # type: ignore[misc]
    """The list is empty: no error for a harvest."""


class NoSetHierarchy(OaiError, oaiexceptions.NoSetHierarchy):  # type: ignore[misc]
    """The repository has no sets."""

    advice = "Take the sets out of the repository's settings."


_BY_CODE: dict[str, type[OaiError]] = {
    "badargument": BadArgument,
    "badverb": BadVerb,
    "badresumptiontoken": BadResumptionToken,
    "cannotdisseminateformat": CannotDisseminateFormat,
    "iddoesnotexist": IdDoesNotExist,
    "nometadataformats": NoMetadataFormats,
    "norecordsmatch": NoRecordsMatch,
    "nosethierarchy": NoSetHierarchy,
}
#: A list that reports several errors at once is only empty when it reports nothing else.
_LEAST = "norecordsmatch"


def refusal(errors: list[tuple[str, str]], response_date: datetime | None = None) -> OaiError:
    """Make the error for an answer's ``error`` elements.

    Codes are compared without regard to case and blanks, which some repositories get wrong; anything else unknown
    becomes the bare :class:`OaiError`, never an empty list.

    :param errors: code and text of each, at least one.
    """
    by_weight = sorted(errors, key=lambda error: _key(error[0]) == _LEAST)
    code, said = by_weight[0]
    return _BY_CODE.get(_key(code), OaiError)(code, said, response_date=response_date)


def _key(code: str) -> str:
    return code.strip().lower()
