"""A sink that posts changes to a web address, signed, and tries again while that helps."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import requests
from requests.exceptions import RequestException

from opencast import __version__
from opencast.api import addresses, answers
from opencast.api.retries import RetryPolicy, failure_worth_repeating, retry_after
from opencast.errors import ConfigurationError, SinkFailed
from opencast.harvest.announcements import ChangeBatch

#: ``t=<seconds since 1970>,v1=<hex of HMAC-SHA256 over "<seconds>.<body>">``; the time is signed as well, so that a
#: receiver can refuse old messages that somebody sends again.
SIGNATURE = "X-Harvest-Signature"
#: The same for a batch that is sent again.
DELIVERY = "X-Harvest-Delivery"
_TIMEOUT = (10.0, 30.0)
_MAX_TRIES = 4
_MAX_ANSWER = 64 * 1024


def signature(secret: str, body: bytes, moment: int) -> str:
    """Sign a message.

    :param moment: seconds since 1970.
    """
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signed}"


class Webhook:
    """Posts batches of changes as JSON.

    :param url: ``http`` or ``https``; its query is never shown.
    :param secret: signs the messages; empty: they are not signed.
    :param sleep: waits between tries, in seconds.
    :param now: seconds since 1970.
    :raises ConfigurationError: no web address.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: str = "",
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise ConfigurationError(f"{addresses.shown(url)!r} is no address for a webhook.")
        self._url = url
        self._secret = secret
        self._now = now
        self._retries = RetryPolicy(max_tries=_MAX_TRIES, sleep=sleep)

    def deliver(self, batch: ChangeBatch) -> None:
        """Post a batch; every answer with a status from 200 to 299 means that it was taken.

        :raises SinkFailed: it was not taken.
        """
        body = json.dumps(batch.values(), ensure_ascii=False, separators=(",", ":")).encode()
        tries = 0
        while True:
            tries += 1
            problem, pause = self._try(batch, body)
            if problem is None:
                return
            if pause is None or not self._retries.wait(tries, pause):
                raise problem

    def _try(self, batch: ChangeBatch, body: bytes) -> tuple[SinkFailed | None, float | None]:
        """Post once.

        :returns: the error, and the seconds to wait at least before another try; None when there is to be none.
        """
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": f"opencast-airflow/{__version__}",
            DELIVERY: f"{batch.repository}-{batch.first}-{batch.last}",
        }
        if self._secret:
            headers[SIGNATURE] = signature(self._secret, body, int(self._now()))
        shown = addresses.shown(self._url)
        try:
            with requests.Session() as session:
                # Neither logins of .netrc nor redirects: the message goes to the configured address only.
                session.trust_env = False
                response = session.post(
                    self._url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False, stream=True
                )
                status = response.status_code
                said = answers.quote(response.raw.read(_MAX_ANSWER, decode_content=True), masked=(self._secret,))
        except RequestException as error:
            problem = SinkFailed(f"{shown} did not answer ({type(error).__name__}).")
            return problem, 0.0 if failure_worth_repeating(error, idempotent=True) else None
        if 200 <= status < 300:
            return None, None
        problem = SinkFailed(f"{shown} answered {status}{': ' + said if said else '.'}")
        again = status in {408, 429} or status >= 500
        return problem, (retry_after(response) or 0.0) if again else None
