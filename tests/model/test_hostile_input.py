"""Whatever a server sends, reading it ends with an object or with a named error of that object."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opencast.errors import ModelError
from opencast.model.acl import Acl
from opencast.model.dublincore import DublinCore
from opencast.model.event import EventRow
from opencast.model.mediapackage import MediaPackage
from opencast.model.series import parse_element_types, parse_properties
from opencast.model.workflow import WorkflowInstance, parse_instances

from tests.model import recorded

XML = [
    (MediaPackage.parse, recorded.body("events/ev-two-streams/assets")),
    (MediaPackage.parse, recorded.body("events/ev-fast/assets", 15)),
    (DublinCore.parse, recorded.body("series/series-algorithms_xml")),
    (Acl.from_xml, recorded.body("series/series-deny_acl_xml")),
    (Acl.from_xacml, recorded.body("events/ev-fast/files/03_xacml_xml")),
    (WorkflowInstance.from_xml, recorded.body("writes/workflow_done_xml")),
]
KEYS = [
    "acl",
    "ace",
    "role",
    "action",
    "allow",
    "identifier",
    "state",
    "operations",
    "event_identifier",
    "workflows",
    "workflow",
    "id",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
HOSTILE = st.sampled_from([
    b"<",
    b">",
    b"</",
    b'"',
    b"&",
    b"&#0;",
    b"\x00",
    b"..",
    b"/",
    b"../../x",
    b"<!DOCTYPE x>",
    b"\xff",
    b"<x/>",
    b"-1",
])


@pytest.mark.parametrize(("read", "data"), XML)
@settings(max_examples=150)
@given(values=st.data())
def test_a_damaged_document_gives_an_object_or_a_named_error(
    read: Callable[[bytes], object], data: bytes, values: st.DataObject
) -> None:
    start = values.draw(st.integers(0, len(data)))
    length = values.draw(st.integers(0, 40))
    damaged = data[:start] + values.draw(HOSTILE | st.binary(max_size=8)) + data[start + length :]
    try:
        read(damaged)
    except ModelError as error:
        assert str(error).isprintable()


@pytest.mark.parametrize(("read", "data"), XML)
def test_a_truncated_document_is_refused(read: Callable[[bytes], object], data: bytes) -> None:
    for end in range(0, len(data.rstrip()) - 1, 97):
        with pytest.raises(ModelError):
            read(data[:end])


@pytest.mark.parametrize(
    "read",
    [
        Acl.from_json,
        lambda value: EventRow.parse({"identifier": "a-ev", "duration": value, "presenter": value, "start": value}),
        lambda value: WorkflowInstance.from_json({
            "identifier": 1,
            "state": "running",
            "event_identifier": "a-ev",
            "operations": value,
        }),
        EventRow.parse,
        WorkflowInstance.from_json,
        parse_instances,
        parse_properties,
        parse_element_types,
    ],
)
@settings(max_examples=100)
@given(value=JSON)
def test_any_json_gives_an_object_or_a_named_error(read: Callable[[object], object], value: object) -> None:
    try:
        read(value)
    except ModelError as error:
        assert str(error).isprintable()
