"""``tag``."""

from __future__ import annotations

from tests.simulator.workflows.operations.run import OperationFailed, Run, Skipped


def tag(run: Run) -> None:
    """Set, add (``+x``) or remove (``-x``) tags, and set the flavor; SKIPPED when nothing is selected."""
    chosen = run.select(run.words("source-flavors"), run.words("source-tags"))
    if not chosen:
        raise Skipped
    words = run.words("target-tags")
    replaced = {word for word in words if word[0] not in "+-"}
    for original in chosen:
        element = original
        if run.flag("copy"):
            element = original.clone()
            element.id = None
            element.ref = f"{original.kind}:{original.id}"
            run.package.add(element)
        if run.text("target-flavor"):
            element.flavor = _flavor(run.words("target-flavor")[0], element.flavor)
        if replaced:
            element.tags = set(replaced)
        else:
            element.tags -= {word[1:] for word in words if word[0] == "-"}
            element.tags |= {word[1:] for word in words if word[0] == "+"}


def _flavor(wanted: str, held: str | None) -> str:
    if wanted.count("/") != 1:
        raise OperationFailed(f"a flavor is malformed: {wanted}")
    if held is None:
        return wanted
    parts = zip(wanted.split("/"), held.split("/"), strict=True)
    return "/".join(own if new == "*" else new for new, own in parts)
