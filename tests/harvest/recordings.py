"""Recordings as a server holds them, and their XML in the three formats of Opencast. Independent of the product."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from xml.sax.saxutils import escape, quoteattr

OAI = "http://www.openarchives.org/OAI/2.0/"
FORMATS = {
    "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/",
    "matterhorn": "http://www.opencastproject.org/oai/matterhorn",
    "matterhorn-inlined": "http://www.opencastproject.org/oai/matterhorn-inlined",
}


@dataclass(frozen=True)
class Film:
    """A track of a mediapackage."""

    flavor: str = "presentation/delivery"
    id: str = "track-1"
    url: str = "https://oc.example.org/static/mh_default_org/oaipmh-default/cam.mp4"
    mimetype: str = "video/mp4"
    size: int = 76115
    duration: int = 6014
    resolution: str = "640x360"
    checksum: str = "0ab39e209041787a92463e54ed203c13"

    def xml(self) -> str:
        return (
            f"<track id={quoteattr(self.id)} ref={quoteattr('track:' + self.id)} type={quoteattr(self.flavor)}>"
            f"<mimetype>{self.mimetype}</mimetype><tags><tag>atom</tag></tags><url>{escape(self.url)}</url>"
            f'<size>{self.size}</size><checksum type="md5">{self.checksum}</checksum>'
            f"<duration>{self.duration}</duration>"
            f'<video id="video-1"><framerate>25.0</framerate><resolution>{self.resolution}</resolution></video>'
            "<live>false</live><master>false</master></track>"
        )


@dataclass(frozen=True)
class Recording:
    """A published event."""

    title: str = "A lecture"
    description: str = ""
    series: str = ""
    series_title: str = ""
    creators: tuple[str, ...] = ("Ada Lovelace",)
    created: str = "2022-03-02T10:00:00Z"
    start: str = "2022-03-02T10:00:00Z"
    duration: int = 6014
    films: tuple[Film, ...] = (Film(),)
    policy: str = ""
    extra: str = field(default="", repr=False)

    def but(self, **changes: Any) -> Recording:
        return replace(self, **changes)

    def metadata(self, namespace: str, identifier: str) -> str:
        if namespace == FORMATS["matterhorn"]:
            return self.package(identifier)
        if namespace == FORMATS["matterhorn-inlined"]:
            return (
                f"<inlined xmlns={quoteattr(namespace)}>{self.package(identifier)}{self.policies()}"
                f"{self.catalogs(identifier)}</inlined>"
            )
        return self.dublin_core(identifier)

    def package(self, identifier: str) -> str:
        texts = [f"<title>{escape(self.title)}</title>"] if self.title else []
        if self.series:
            texts.append(f"<series>{escape(self.series)}</series>")
        if self.series_title:
            texts.append(f"<seriestitle>{escape(self.series_title)}</seriestitle>")
        if self.creators:
            names = "".join(f"<creator>{escape(name)}</creator>" for name in self.creators)
            texts.append(f"<creators>{names}</creators>")
        start = f" start={quoteattr(self.start)}" if self.start else ""
        return (
            f'<mediapackage xmlns="http://mediapackage.opencastproject.org" duration="{self.duration}" '
            f"id={quoteattr(identifier)}{start}>{''.join(texts)}"
            f"<media>{''.join(film.xml() for film in self.films)}</media><metadata/><attachments/><publications/>"
            f"{self.extra}</mediapackage>"
        )

    def policies(self) -> str:
        return f'<attachment type="security/xacml+series">{self.policy}</attachment>' if self.policy else ""

    def catalogs(self, identifier: str) -> str:
        terms = [("created", self.created), ("identifier", identifier), ("title", self.title)]
        terms += [("creator", name) for name in self.creators]
        terms += [("description", self.description), ("isPartOf", self.series)]
        body = "".join(f"<dcterms:{term}>{escape(value)}</dcterms:{term}>" for term, value in terms if value)
        return (
            '<catalog type="dublincore/episode"><dublincore xmlns="http://www.opencastproject.org/xsd/1.0/dublincore/" '
            f'xmlns:dcterms="http://purl.org/dc/terms/">{body}</dublincore></catalog>'
        )

    def dublin_core(self, identifier: str) -> str:
        return (
            f'<oai_dc:dc xmlns:oai_dc={quoteattr(FORMATS["oai_dc"])} xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>{escape(self.title)}</dc:title><dc:identifier>{escape(identifier)}</dc:identifier></oai_dc:dc>"
        )
