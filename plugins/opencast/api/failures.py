"""Name what went wrong when a request got no answer, without the URL's query that such errors usually repeat."""

from __future__ import annotations

from requests.exceptions import (
    ConnectTimeout,
    ContentDecodingError,
    ProxyError,
    ReadTimeout,
    RequestException,
    SSLError,
)
from urllib3.exceptions import MaxRetryError

from opencast.api import addresses, answers, retries
from opencast.errors import ServerError, UnexpectedContent, Unreachable


def no_answer(
    method: str, url: str, error: RequestException, *, tries: int, idempotent: bool, masked: tuple[str, ...] = ()
) -> ServerError:
    """Make the error for a request without an answer.

    :param error: what ``requests`` raised.
    :param tries: how often the request was sent.
    :param idempotent: whether it could have been repeated; if not, the message says that it may have been carried out.
    :param masked: texts that must not appear in the message.
    """
    shown = addresses.shown(url)
    if isinstance(error, ContentDecodingError):
        return UnexpectedContent(f"{method} {shown} was answered with a body that cannot be unpacked.", url=shown)
    if isinstance(error, ValueError):
        # requests: InvalidURL, InvalidSchema, MissingSchema, InvalidHeader; also a body that cannot be decoded.
        return UnexpectedContent(f"{shown!r} cannot be asked for ({type(error).__name__}).", url=shown)
    message = f"{method} {shown}: {_reason(error, masked)}"
    if tries > 1:
        message += f" ({tries} tries)"
    if not idempotent and not retries.nothing_was_sent(error):
        message += "; the request may have been carried out nevertheless"
    problem = Unreachable(f"{message}.", url=shown, advice=_advice(error))
    # A certificate does not mend itself, and a task that tries again would only hide the reason.
    problem.retriable = not isinstance(error, SSLError)
    return problem


def _reason(error: RequestException, masked: tuple[str, ...]) -> str:
    if isinstance(error, ConnectTimeout):
        return "no connection within the time-out"
    if isinstance(error, ReadTimeout):
        return "no answer within the time-out"
    reason: object = error.args[0] if error.args else error
    if isinstance(reason, MaxRetryError):
        # Its own text repeats the whole URL.
        reason = reason.reason
    if isinstance(error, ProxyError):
        return f"the proxy cannot be reached ({type(reason).__name__})"
    said = answers.clean(str(reason), masked=masked)
    # urllib3 puts the object's name in front: "HTTPConnection(host='...', port=...): Failed to ...".
    said = said.rpartition("): ")[2] or type(error).__name__
    return said[: answers.QUOTED_CHARACTERS].rstrip(".")


def _advice(error: RequestException) -> str | None:
    if isinstance(error, SSLError):
        return "Install the authority that signed the certificate on the workers, or name its file in the connection."
    if isinstance(error, ProxyError):
        return "Check the proxy in the workers' environment; no_proxy takes hosts out of it."
    return None
