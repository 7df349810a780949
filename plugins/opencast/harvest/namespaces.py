"""The XML namespaces that a harvest meets."""

from __future__ import annotations

#: OAI-PMH 2.0, section 3.2: the namespace of every answer.
OAI = "http://www.openarchives.org/OAI/2.0/"
#: OAI-PMH 2.0, section 3.4: unqualified Dublin Core, which every repository offers.
OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
#: Announced by Opencast for records that hold a mediapackage.
MATTERHORN = "http://www.opencastproject.org/oai/matterhorn"
#: Announced by Opencast for records that hold a mediapackage and its catalogs and policies.
MATTERHORN_INLINED = "http://www.opencastproject.org/oai/matterhorn-inlined"
#: Opencast's mediapackages.
MEDIAPACKAGE = "http://mediapackage.opencastproject.org"
#: The terms of Opencast's Dublin Core catalogs.
DCTERMS = "http://purl.org/dc/terms/"


def tag(namespace: str, name: str) -> str:
    """Give an element's name as lxml writes it."""
    return f"{{{namespace}}}{name}"
