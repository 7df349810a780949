"""How published files are delivered: by which host, to whom, and whether only to who has a signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

KEY_ID = "demo"
PARAMETERS = ("policy", "keyId", "signature")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a site may have put in front of its published files.

    :param host: a distribution host: an address on which nothing but ``/static`` is served, without any of Opencast's
        accounts; None leaves the files with the server itself.
    :param users: names and passwords of the distribution host's own accounts; without any it is open to everybody.
    :param signed: beginnings of paths that nobody may read without a signature, on either host (``UrlSigningFilter``).
    :param accel: files are left for a web server in front to fill in (``X-Accel-Redirect``): answers are empty.
    :param redirect: the server redirects ``/static`` to this address, which gets no login of its own.
    :param expires: most seconds that a signature is good for, however long it was asked for.
    :param now: the clock by which it is judged, in seconds since the epoch.
    """

    host: str | None = None
    users: tuple[tuple[str, str], ...] = ()
    signed: tuple[str, ...] = ()
    accel: bool = False
    redirect: str | None = None
    expires: float | None = None
    now: Callable[[], float] = time.time
    key: str = field(default="a key of sixteen or more characters", repr=False)

    def accepts(self, url: str) -> bool:
        """Tell whether there is a key for a url."""
        return self.is_signed(urlsplit(url).path)

    def is_signed(self, path: str) -> bool:
        """Tell whether a path is closed without a signature."""
        return any(path.startswith(prefix) for prefix in self.signed)

    def sign(self, url: str, valid_until: float, valid_from: float = 0.0, client: str = "") -> str:
        """Add policy, key and signature to a url.

        :param valid_until: seconds since the epoch.
        """
        if self.expires is not None:
            valid_until = min(valid_until, self.now() + self.expires)
        condition: dict[str, object] = {"DateLessThan": int(valid_until * 1000)}
        if valid_from:
            condition["DateGreaterThan"] = int(valid_from * 1000)
        if client:
            condition["IpAddress"] = client
        text = json.dumps({"Statement": {"Condition": condition, "Resource": url}}, separators=(",", ":"))
        policy = base64.urlsafe_b64encode(text.encode()).decode()
        query = urlencode({"policy": policy, "keyId": KEY_ID, "signature": self._digest(text)})
        return f"{url}{'&' if '?' in url else '?'}{query}"

    def refusal(self, url: str, query: str, client: str) -> int | None:
        """Judge a request as ``ResourceRequestUtil`` does: 400 without a full signature, 403 for a wrong one, 410 late.

        :param url: without query.
        """
        given = parse_qsl(query)
        values = dict(given)
        names = [name for name, _ in given if name in PARAMETERS]
        if len(names) != len(set(names)) or not all(values.get(name) for name in PARAMETERS):
            return 400
        text = base64.urlsafe_b64decode(values["policy"]).decode()
        if values["keyId"] != KEY_ID or not hmac.compare_digest(values["signature"], self._digest(text)):
            return 403
        statement = json.loads(text)["Statement"]
        condition = statement["Condition"]
        if condition.get("IpAddress", client) != client or urlsplit(statement["Resource"]).path != urlsplit(url).path:
            return 403
        now = self.now() * 1000
        return None if condition.get("DateGreaterThan", 0) <= now <= condition["DateLessThan"] else 410

    def _digest(self, text: str) -> str:
        return hmac.new(self.key.encode(), text.encode(), hashlib.sha256).hexdigest()
