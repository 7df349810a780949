"""The recorded writes in an order that works: what one makes, the next ones need."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from tests.replay.replay import Replayer
from tests.simulator import policies
from tests.simulator.faults import WorkflowFault
from tests.simulator.policies import Entry
from tests.simulator.recordings import Exchange, Recordings

_CATALOG = (
    '<dublincore xmlns="http://www.opencastproject.org/xsd/1.0/dublincore/" '
    'xmlns:dcterms="http://purl.org/dc/terms/"><dcterms:title>{title}</dcterms:title>'
    "<dcterms:created>2023-01-01T10:00:00Z</dcterms:created></dublincore>"
)
_PUBLIC = (Entry("ROLE_ADMIN", "read"), Entry("ROLE_ADMIN", "write"), Entry("ROLE_ANONYMOUS", "read"))
_PREFIX = {17: "a", 15: "c"}

FILES = ("files_base_uri", "files_put", "files_get", "files_get_md5_match", "files_delete", "files_get_after_delete",
         "files_put_no_file")  # fmt: skip
SERIES = ("series_post_first", "series_post_again", "series_post_bad_xml", "series_property", "series_element_put",
          "series_element_put_again", "series_element_unknown_series")  # fmt: skip
AGENTS = ("agent_post", "agent_bad_state", "agent_configuration")
THEMES = ("static_post", "theme_post", "theme_post_missing_file")
SCHEDULE = ("create_with_id", "create_with_bad_id", "add_dc_catalog", "recordings_post", "recordings_post_again",
            "recordings_put", "recordings_put_bad_range", "recordings_put_unknown", "recordings_technical_after",
            "conflicts", "conflicts_none")  # fmt: skip
REFUSED = ("workflow_start_bad_mediapackage", "workflow_start_unknown_id", "ingest_unknown_workflow")
IMPORT = ("workflow_start", "has_active", "workflow_running_api", "event_while_importing", "assets_while_importing",
          "workflow_start_while_active", "ingest_while_active")  # fmt: skip
IMPORTED = ("workflow_done_api", "workflow_done_xml", "event_after_import", "assets_after_import",
            "files_after_cleanup")  # fmt: skip
RUNS = ("workflow_unreachable_element", "checksum_trap", "unknown_operation", "publish_without_hits")
ENDINGS = ("_end", "_assets", "_bytes")
ZIPS = ("zip_bad", "zip_deflated", "zip_stored", "zip_streamed_deflated", "zip_streamed_stored")
DELETION = ("event_delete", "event_after_delete", "assets_after_delete")
#: Searches that were recorded after the writes, and show what these published.
LATE_SEARCHES = re.compile(r"search15/(alice_|w9_)")


class Sequence:
    """Sends all recorded writes of a generation; gives each exchange with the answer."""

    def __init__(self, replayer: Replayer, generation: int) -> None:
        self.replayer, self.simulator = replayer, replayer.simulator
        self.recordings = Recordings(generation)
        self.held = {e.name.removeprefix("writes/"): e for e in self.recordings.all("writes")}
        self.prefix = _PREFIX[generation]

    def run(self) -> Iterator[tuple[Exchange, Any]]:
        """Send them all."""
        for names in (FILES, SERIES, AGENTS, THEMES, SCHEDULE, REFUSED):
            yield from self._send(names)
        self.simulator.wait_for_workflows()
        yield from self._import()
        for name in RUNS:
            yield from self._run(name)
        yield from self._zips()
        yield from self._send(name for name in DELETION if name in self.held)
        yield from self._search(lambda name: "w9_published" not in name)

    def _send(self, names: Any) -> Iterator[tuple[Exchange, Any]]:
        for name in names:
            exchange = self.held[name]
            parts = exchange.request.get("multipart")
            content = {"files": [(part, self._part(name, file)) for part, file in parts]} if parts else {}
            yield exchange, self.replayer.follow(exchange, **content)

    def _part(self, name: str, file_name: str | None) -> Any:
        """Make a part of a multipart body, whose contents were not recorded."""
        if file_name is None:
            return None, "x"
        if name.startswith("zip_") and name != "zip_bad":
            return file_name, self._zipped(name)
        return file_name, b"hello"

    def _import(self) -> Iterator[tuple[Exchange, Any]]:
        """Hold the import at its first operation while it is looked at."""
        video = self.held["checksum_trap_bytes"].body
        self._upload("w9", video=video)
        hanging: WorkflowFault = self.simulator.faults.workflow("hang", "publish-engage")
        yield from self._send(IMPORT)
        hanging.release()
        if self.recordings.generation == 15:
            # One answer was recorded with another event of the same kind.
            self._upload("w16", video=video)
            form = self.held["workflow_start"].request["form"]
            twin = {key: self.replayer.addressed(value).replace("c-w9", "c-w16") for key, value in form.items()}
            self.replayer.request("POST", "/workflow/start", data=twin)
        self.simulator.wait_for_workflows()
        yield from self._send(IMPORTED)
        yield from self._search(lambda name: "w9_published" in name)

    def _search(self, chosen: Callable[[str], bool]) -> Iterator[tuple[Exchange, Any]]:
        for exchange in self.recordings.all():
            if LATE_SEARCHES.match(exchange.name) and chosen(exchange.name):
                yield exchange, self.replayer.follow(exchange)

    def _run(self, name: str) -> Iterator[tuple[Exchange, Any]]:
        if name == "workflow_unreachable_element":
            self._upload("w10")
        else:
            self._upload("w11", title="Trap" if self.recordings.generation == 17 else "Write test")
        yield from self._send((name,))
        self.simulator.wait_for_workflows()
        yield from self._send(name + ending for ending in ENDINGS if name + ending in self.held)

    def _upload(self, name: str, *, title: str = "Write test", video: bytes = b"v" * 1750) -> None:
        package = f"{self.prefix}-{name}"
        policy = policies.to_xacml(package, _PUBLIC).encode()
        parts = {"dc-1": ("dublincore.xml", _CATALOG.format(title=title).encode())}
        parts |= {"track-1": ("v.mp4", video), "xacml-1": ("xacml.xml", policy)}
        for element, file in parts.items():
            self.replayer.request("POST", f"/files/mediapackage/{package}/{element}", files={"file": file})

    def _zips(self) -> Iterator[tuple[Exchange, Any]]:
        for name in ZIPS:
            yield from self._send((name,))
            self.simulator.wait_for_workflows()

    def _zipped(self, name: str) -> bytes:
        """Make the zip of a recorded ingest: a package with a video and a catalog."""
        package = {15: {"zip_stored": "w13", "zip_streamed_deflated": "w14", "zip_streamed_stored": "w15"}}
        number = package.get(self.recordings.generation, {}).get(name, "w12")
        manifest = (
            f'<mediapackage xmlns="http://mediapackage.opencastproject.org" id="{self.prefix}-{number}" '
            'start="2023-01-01T10:00:00Z"><title>Write test</title><media><track id="track-1" '
            'type="presenter/source"><mimetype>video/mp4</mimetype><url>v.mp4</url></track></media><metadata>'
            '<catalog id="dc-1" type="dublincore/episode"><mimetype>text/xml</mimetype><url>dublincore.xml</url>'
            "</catalog></metadata></mediapackage>"
        )
        out: io.BytesIO = _Unseekable() if "streamed" in name else io.BytesIO()
        method = zipfile.ZIP_STORED if name.endswith("stored") else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(out, "w", method) as archive:
            archive.writestr("manifest.xml", manifest)
            archive.writestr("v.mp4", b"v" * 1750)
            archive.writestr("dublincore.xml", _CATALOG.format(title="Write test"))
        return out.getvalue()


class _Unseekable(io.BytesIO):
    """Makes a zip with the sizes of its entries behind them."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError
