"""What no migration over Opencast's REST interfaces can bring along; part of every plan and report."""

from __future__ import annotations

NOT_MIGRATED: tuple[tuple[str, str], ...] = (
    ("Users, groups and roles", "Passwords are stored as hashes that no endpoint hands out."),
    ("Older snapshots", "Only the last version of a mediapackage is offered; older ones stay on the source's disk."),
    ("Statistics and user tracking", "There is no endpoint that takes them."),
    ("Annotations", "They belong to a service of their own."),
    ("Jobs and workflow history", "The target writes its own."),
    ("Live publications", "A live stream is no file."),
    ("Formats of streaming servers", "They are made by the server, not stored as files."),
    ("Ids of engage-player elements", "The target gives published elements new ids; their URL paths are kept."),
    ("Modification dates", "The target counts from the import on; OAI-PMH harvesters fetch everything again."),
    ("Scheduler roles of capture agents", "No endpoint shows them."),
    ("Managed access lists, LTI and OAuth settings", "They are configuration of the server."),
)
