"""Every named error of this package, each saying whether trying again helps.

The message says what happened and to which object; ``advice`` says what the administrator can do.
Messages never hold credentials or signed URLs.
"""

from __future__ import annotations


class OpencastError(Exception):
    """Base of all errors raised by this package.

    :param message: what happened, to what; one sentence without secrets.
    :param advice: what the administrator can do about it; defaults to the class's own advice.
    """

    #: Whether the same call may succeed when it is tried again later without anybody changing anything.
    retriable: bool = False
    #: Default advice of the class.
    advice: str = ""

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if advice is not None:
            self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


# --- configuration and input -----------------------------------------------------------------------------------


class ConfigurationError(OpencastError):
    """A setting, profile or connection is wrong; the message names file, line and key where there are any."""


class InvalidFilter(OpencastError):
    """A filter of the run cannot be used as given."""

    advice = "Correct the filter in the trigger form and start the run again."


class FilterMatchesNothing(OpencastError):
    """The filters select no object at all: an error, because a migration of nothing is never what was meant."""

    advice = "Check the filter's value against the source; nothing was written."


class PreflightFailed(OpencastError):
    """One or more checks before the first write failed; the message lists each with what to do."""


# --- talking to a server ---------------------------------------------------------------------------------------


class ServerError(OpencastError):
    """An answer of a server that is not what was asked for.

    :param status: HTTP status code, or None when there was no answer.
    :param url: URL without query and without credentials.
    """

    def __init__(
        self, message: str, *, status: int | None = None, url: str | None = None, advice: str | None = None
    ) -> None:
        super().__init__(message, advice=advice)
        self.status = status
        self.url = url


class Unreachable(ServerError):
    """No connection, a time-out, or a connection that broke."""

    retriable = True
    advice = "Check the connection's host and port, and that the server is running and reachable from the workers."


class ServerFailure(ServerError):
    """HTTP 5xx."""

    retriable = True
    advice = "Look into the server's log; the call is repeated by itself a few times."


class ServiceMissing(ServerError):
    """HTTP 404 of a server whose services are not there right now, not of one that lacks the object.

    Opencast takes all its services away for a moment whenever one of them comes or goes, so also while it starts. To
    take that for "there is no such object" would call events gone that are there.
    """

    retriable = True
    advice = "The server is starting, or one of its services failed: look into its log."


class Throttled(ServerError):
    """HTTP 429, or 503 with or without ``Retry-After``.

    :param retry_after: seconds that the server asked to wait, or None.
    """

    retriable = True
    advice = "The server asks for less load; lower the limits of the run if this goes on."

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        url: str | None = None,
        advice: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status=status, url=url, advice=advice)
        self.retry_after = retry_after


class AuthenticationFailed(ServerError):
    """HTTP 401, a redirect to the login page, or an answer given to the anonymous user."""

    advice = "Check login and password of the connection, and that the account may use Basic or Digest authentication."


class Forbidden(ServerError):
    """HTTP 403: the account lacks a role."""

    advice = "Give the account ROLE_ADMIN on this server: other accounts see a filtered library."


class WrongOrganization(ServerError):
    """The server does not map the host to the organization, or answers for another one."""

    advice = "Check the organization of the connection and use the tenant's own host name."


class NotFound(ServerError):
    """HTTP 404."""


class Conflict(ServerError):
    """HTTP 409, or Opencast's 500 for a mediapackage that has an active workflow."""

    retriable = True


class BadRequest(ServerError):
    """HTTP 400 or another 4xx without a class of its own."""


class RedirectRefused(ServerError):
    """The server redirects to another place; credentials are never sent along."""

    advice = "Set the connection's host to the final address."


class UnexpectedContent(ServerError):
    """An answer with another content type or form than documented, such as an HTML page instead of a video."""

    advice = "A proxy or a login page may answer instead of Opencast: open the address in a browser."


class UnsupportedVersion(ServerError):
    """The server's version is outside of what this package can work with."""


# --- model -----------------------------------------------------------------------------------------------------


class ModelError(OpencastError):
    """An object of a server that cannot be understood; this object is skipped and reported."""


class InvalidXml(ModelError):
    """No well-formed XML, or XML with a document type, entities or more than the allowed size."""


class InvalidIdentifier(ModelError):
    """An id that Opencast would not accept, or that would leave its folder."""


class InvalidFlavor(ModelError):
    """A flavor that is not two names with one slash between them."""


class InvalidMediaPackage(ModelError):
    """A mediapackage that breaks the rules of its format."""


class InvalidAcl(ModelError):
    """An access control list or XACML policy that cannot be read."""


class InvalidDublinCore(ModelError):
    """A Dublin Core catalog that cannot be read."""


class InvalidAnswer(ModelError):
    """An answer of a server that parses, but lacks a field or holds another type than documented."""


# --- staging and transfer --------------------------------------------------------------------------------------


class StagingError(OpencastError):
    """Staging, fetching or sending a file failed."""


class ChecksumMismatch(StagingError):
    """The bytes are not the ones that the source's checksum names."""

    advice = "The source's file or its checksum is damaged: compare the file in the source's storage with its .md5."


class SizeMismatch(StagingError):
    """More or fewer bytes than announced: a truncated or a replaced file."""

    retriable = True


class SourceChanged(StagingError):
    """A source file changed while it was read."""

    retriable = True


class StagingFull(StagingError):
    """The staging budget or the file system is full; the work waits until there is room."""

    retriable = True
    advice = "Free space on the staging file system or raise the staging budget; the task tries again by itself."


class UnsafePath(StagingError):
    """A path that leaves its folder, or a symbolic link where none may be."""


class StorageFailure(StagingError):
    """A file system answered with an error that may pass: I/O error, stale handle, no locks, too many open files."""

    retriable = True
    advice = "Look at the mount and at the system log of the worker; the task tries again by itself."


class StorageRefused(StagingError):
    """A file system refuses the operation for good: no permission, mounted read-only, name too long."""

    advice = "Check owner, mode and mount options of the folder that is named, as the user that the workers run as."


class StagingBusy(StagingError):
    """Another worker has been fetching the same object for longer than the call wants to wait."""

    retriable = True
    advice = "Nothing to do: the object is used as soon as the other worker has it."


class RouteUnavailable(StagingError):
    """A way to the target (link, upload, zip) that was asked for does not work here."""


# --- migration -------------------------------------------------------------------------------------------------


class MigrationError(OpencastError):
    """One object could not be migrated; the rest goes on."""


class ObjectBusy(MigrationError):
    """The object has an active workflow on the source or the target: left for a later run."""

    retriable = True
    advice = "Run the migration again when the workflow has ended."


class ObjectGone(MigrationError):
    """The object was deleted on the source since the inventory was taken."""

    advice = "Nothing to do if it was deleted on purpose."


class WorkflowFailed(MigrationError):
    """An import workflow on the target ended in another state than SUCCEEDED, or one of its operations failed."""

    advice = "Open the workflow in the target's admin UI, mend the cause and run the migration again."


class ScheduleConflict(MigrationError):
    """The capture agent of a scheduled event is taken on the target at that time.

    :param retriable: whether the event that takes it may still be moved by the same run.
    """

    advice = "Move or delete one of the events; the param schedule_conflicts can leave such events out."

    def __init__(self, message: str, *, retriable: bool) -> None:
        super().__init__(message)
        self.retriable = retriable


class DeletionPending(MigrationError):
    """An event that is to be replaced was deleted on the target, but is not gone yet."""

    retriable = True
    advice = "Opencast retracts publications first; the task tries again by itself."


class VerificationFailed(MigrationError):
    """The target's object is not equal to the source's; the message names the first difference."""


class LibraryBusy(MigrationError):
    """Another run is reading the source's library."""

    retriable = True
    advice = "Nothing to do: the task tries again, and uses what the other run has read."


class CampaignClosed(MigrationError):
    """The campaign that a run or an object belongs to was cancelled, or was stopped because too much failed."""

    advice = "Resume the campaign, or start the run with another name in the param campaign."


class UnknownCampaign(MigrationError):
    """There is no campaign of this name."""

    advice = "`python -m opencast campaign list` shows all of them."


class PlanInUse(MigrationError):
    """A run cannot plan anew: later runs are working on the plan that it made before."""

    advice = "Wait for them, or trigger a new run: it takes what nobody is working on."


class ObjectsFailed(MigrationError):
    """Raised at the end of a run in which at least one object failed, after the report was written."""

    advice = "The report names each object with its reason; run again to repeat the failed ones only."


class FindingsFound(OpencastError):
    """Raised at the end of an audit that found differences or broken publications, after the report was written."""

    advice = "The report names each object with its first difference."


# --- harvest ---------------------------------------------------------------------------------------------------


class HarvestError(OpencastError):
    """Harvesting one repository failed; the others go on."""


class UnreadablePage(HarvestError):
    """A page that is truncated, damaged or no OAI-PMH at all: nothing of it is taken, and the list does not go on."""

    retriable = True
    advice = "The page is asked for again by the next harvest; look at it in a browser if this goes on."


class EndlessList(HarvestError):
    """A repository's list goes round in circles, or was begun again several times without coming any further."""

    retriable = True
    advice = "Tell the repository's administrator; what was read is kept, and the next harvest tries again."


class RepositoryBusy(HarvestError):
    """Another process is harvesting this repository."""

    retriable = True
    advice = "Nothing to do: the other harvest goes on, and the next one is due soon."


class FeedUnavailable(HarvestError):
    """There is no such feed, or not for this reader: which of both is not told."""

    advice = "Check the playlist's name and the token."


class SinkFailed(HarvestError):
    """A sink did not take the changes of a repository; they are kept and delivered later."""

    retriable = True


class StoreError(OpencastError):
    """The project's database cannot be used, or not at the moment."""

    advice = "Check that the database is running and can be reached; tasks try again by themselves."
    retriable = True
