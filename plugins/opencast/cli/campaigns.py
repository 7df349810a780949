"""``campaign``: show what migrations have reached; pause, resume, cancel and limit them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from opencast.cli.command import Command, Subparsers, add, group
from opencast.migration.control import CampaignControl, Picture
from opencast.migration.limits import Limits

_COLUMNS = {
    "number": "",
    "name": "CAMPAIGN",
    "state": "STATE",
    "percent_done": "% DONE",
    "done": "DONE",
    "failed": "FAILED",
    "waiting": "WAITING",
    "runs": "RUNS",
    "reason": "REASON",
}
_TALLY_COLUMNS = {
    "kind": "KIND",
    "outcome": "OUTCOME",
    "objects": "OBJECTS",
    "bytes_total": "BYTES",
    "bytes_read": "READ",
    "bytes_written": "WRITTEN",
}


def register(subparsers: Subparsers) -> None:
    """Add the commands."""
    commands = group(subparsers, "campaign", "Migrations over all their runs")
    add(commands, "list", _list, "List all campaigns, the newest first.")
    for name, run, description in (
        ("show", _show, "Show what has become of the objects of a campaign."),
        ("pause", _pause, "Let nothing begin until the campaign is resumed; what has begun is brought to its end."),
        ("resume", _resume, "Let a campaign go on."),
        ("cancel", _cancel, "Give up what has not begun, and start no further run."),
        ("limit", _limit, "Change limits while the campaign runs; without options, show those that were changed."),
    ):
        parser = add(commands, name, run, description)
        parser.add_argument("name", help="name of the campaign, or # with its number")
        if name in {"pause", "cancel"}:
            parser.add_argument("--reason", default="", help="shown in reports and lists")
        if name == "limit":
            for limit, field in Limits.model_fields.items():
                parser.add_argument(
                    f"--{limit.replace('_', '-')}",
                    metavar="VALUE",
                    help=f"{field.description} Empty: as in the run's params; none: no limit.".replace("`", ""),
                )


def _list(command: Command) -> int:
    command.write_table((_row(picture) for picture in CampaignControl(command.store()).all()), _COLUMNS)
    return 0


def _show(command: Command) -> int:
    picture = CampaignControl(command.store()).picture(command.arguments.name)
    head = picture.head
    values = _row(picture) | {"source": picture.source, "target": picture.target, "limits": head.limits}
    text = (
        f"{head.name} is {head.state.value}{f': {head.reason}' if head.reason else ''}\n"
        f"from {picture.source} to {picture.target}, {len(picture.runs)} runs, {picture.percent_done:.1f} % done"
    )
    command.write(values | {"run_keys": list(picture.runs)}, text)
    command.write_table((asdict(tally) for tally in picture.tallies), _TALLY_COLUMNS)
    return 0


def _pause(command: Command) -> int:
    CampaignControl(command.store()).pause(command.arguments.name, command.arguments.reason)
    command.write({"state": "paused"}, "Paused. What has begun is brought to its end.")
    return 0


def _resume(command: Command) -> int:
    name = command.arguments.name
    by_itself = CampaignControl(command.store()).resume(name)
    text = "It goes on." if by_itself else f"Trigger the DAG again with the param campaign = {name}."
    command.write({"state": "running", "goes_on_by_itself": by_itself}, f"Resumed. {text}")
    return 0


def _cancel(command: Command) -> int:
    CampaignControl(command.store()).cancel(command.arguments.name, command.arguments.reason)
    command.write({"state": "cancelled"}, "Cancelled. What has begun is brought to its end.")
    return 0


def _limit(command: Command) -> int:
    given = {name: getattr(command.arguments, name) for name in Limits.model_fields}
    changes = {name: value for name, value in given.items() if value is not None}
    limits = CampaignControl(command.store()).limit(command.arguments.name, changes)
    lines = [f"{name} = {value}" for name, value in limits.items()]
    command.write(limits, "\n".join(lines) or "All limits are those of the runs' params.")
    return 0


def _row(picture: Picture) -> dict[str, Any]:
    counts = picture.counts
    return {
        "number": f"#{picture.head.id}",
        "name": picture.head.name,
        "state": picture.head.state.value,
        "reason": picture.head.reason,
        "percent_done": round(picture.percent_done, 1),
        "runs": len(picture.runs),
        **{
            outcome: counts.get(outcome, 0) for outcome in ("done", "failed", "skipped", "running", "waiting", "cannot")
        },
    }
