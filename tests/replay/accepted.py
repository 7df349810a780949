"""The differences between recorded and simulated answers that are accepted, each with its reason.

A difference that is not listed fails the replay test, and so does an entry that nothing needs any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.replay.comparison import Difference


@dataclass(frozen=True)
class Accepted:
    """Differences of one kind.

    :param name: regular expression of the whole name of a recording.
    :param place: regular expression of the whole place of a difference.
    :param generations: of the recordings.
    """

    name: str
    place: str
    reason: str
    generations: tuple[int, ...] = (17, 15)

    def covers(self, generation: int, name: str, difference: Difference) -> bool:
        """Tell whether this entry accepts a difference."""
        fits = generation in self.generations and re.fullmatch(self.name, name)
        return bool(fits and re.fullmatch(self.place, difference.place))


_NEW_SERVER = "The server was started at another time."
_NOT_SIMULATED = "The product does not use it, and a wrong double would be worse than none."

_OTHERS_PUBLISHED = "Published episodes of other clients are no part of the recorded library."

ACCEPTED = (
    # --- clocks and random values
    Accepted(
        "agents/agents?[01]?_(json|xml)", ".*/time-since-last-update", "It counts the milliseconds up to the request."
    ),
    Accepted(".*anonymous", "header location", "The redirect to the login page holds the id of a new session."),
    Accepted("auth/events_anonymous_digest_challenge", "header www-authenticate", "Each nonce is a new one."),
    Accepted("preflight/bundles", "/last-modified", _NEW_SERVER),
    Accepted("preflight/services_ingest", "/services/service/onlinefrom", _NEW_SERVER),
    Accepted("preflight/services_ingest", "/services/service/state_changed", _NEW_SERVER, (15,)),
    Accepted("oaipmh/.*", "/OAI-PMH/responseDate", "It is the time of the answer."),
    Accepted("oaipmh/.*", "/OAI-PMH/request/@until", "A list without an end ends at the time of the request."),
    Accepted("oaipmh/get_deleted", "/OAI-PMH/.*/datestamp", "The record was deleted at another time."),
    Accepted(
        "writes/.*", "/.*/(dateCreated|dateCompleted|started|completed|start|completion)|/creationDate",
        "It happened at another time.",
    ),
    Accepted("writes/create_with_id", "/mediapackage/@start", "It is the time of the request."),
    Accepted(
        "writes/(zip|ingest)_.*", "/workflow/configurations(\\[2\\])?/configuration",
        "The start of the ingest is stored with the event.",
    ),
    # --- what the recordings do not tell
    Accepted(
        "writes/.*_(assets|import|importing)", "/mediapackage/.*/checksum",
        "The bytes that were uploaded were not recorded.",
    ),
    Accepted(
        "writes/conflicts", "/events/0/metadata/catalog/checksum/\\$",
        "What the scheduler makes of the catalog of a plan was not recorded.",
    ),
    Accepted(
        "writes/workflow_running_api", "/state|/operations/0/(host|identifier|state|start)",
        "When it was looked at, its first operation was not dispatched yet; here it is held within that operation.",
    ),
    Accepted(
        "writes/event_while_importing", "/processing_state|/status", "Likewise, as the index shows it.", (15,)
    ),
    Accepted(
        "writes/ingest_unknown_workflow", "/workflow/operations\\[6\\]/operation/configurations order",
        "The settings of an operation come in the order of a hash table.",
    ),
    Accepted("writes/series_post_bad_xml", "/html/body/.*/td", "Another parser has other words for broken XML."),
    # --- files of the recorded library
    Accepted(
        "(events/.*/files/.*|files/static_.*)", "header etag",
        "It is computed from milliseconds of the file's date, of which the recordings have the seconds only.",
    ),
    Accepted(
        "events/ev-(names|same-media)/files/.*_mp4", "header last-modified",
        "The library keeps equal bytes in one file, so the date of one event's video is that of another's.",
    ),
    # --- services that are left out
    Accepted(
        "search15/(lucene_|w9_deleted_lucene_).*", "status|header (content-type|cache-control)|body", _NOT_SIMULATED,
        (15,),
    ),
    # --- the search service
    Accepted("(search.*|.*/search(_.*)?)", ".*/@?searchTime", "It is the time that the search took.", (15,)),
    Accepted("(search.*|.*/search(_.*)?)", ".*/score", "Solr's score depends on its whole index.", (15,)),
    Accepted(
        "(search.*|.*/search(_.*)?)", "/search-results/query", "The roles of the caller stand there in another order.",
        (15,),
    ),
    Accepted("search.*/.*series.*", ".*/modified", "A series is entered shortly after its episode.", (15,)),
    Accepted("search15/(q_umlaut|text).*", ".*/modified", "So is an episode that is found together with it.", (15,)),
    Accepted(
        "search15/(w9_published|alice_).*", ".*/modified", "It was published at another time.", (15,)
    ),
    Accepted(".*/search|auth/search_.*", "/result/0/modified", "Of nine digits a date here keeps six.", (17,)),
    Accepted(
        "(search.*|.*/search(_.*)?)", ".*/acl( order|/ace order)", "The roles of an access list stand in no order."
    ),
    Accepted(
        "search/(episodes|limit0|series)|auth/search_anonymous", "/total|/result length", _OTHERS_PUBLISHED, (17,)
    ),
    Accepted(
        "search15/(limit100000|limit_minus1|offset_minus1|sort_date_published).*",
        "/search-results.*",
        _OTHERS_PUBLISHED,
        (15,),
    ),
    Accepted("tools15/editor.*", "status|header content-type|body", _NOT_SIMULATED, (15,)),
    Accepted("series15/in_range", "status|header content-type|body", _NOT_SIMULATED, (15,)),
)  # fmt: skip
