"""``harvest``, ``clean-up`` and ``deliver``: what the schedule does, by hand."""

from __future__ import annotations

from opencast.cli.command import Command, Subparsers, add
from opencast.harvest.cleaning import clean_up
from opencast.harvest.logins import login_from_environment
from opencast.harvest.management import active_repositories, due_repositories
from opencast.harvest.service import HarvestService
from opencast.harvest.stream_state import Mode
from opencast.harvest.windows import Window
from opencast.store.base import utc_now


def register(subparsers: Subparsers) -> None:
    """Add the commands."""
    parser = add(
        subparsers,
        "harvest",
        _harvest,
        "Harvest repositories: what is new since the last harvest, everything, or a window of datestamps. Logins are "
        "read from AIRFLOW_CONN_<ID> in the environment.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="repositories; default: all active ones")
    parser.add_argument("--due", action="store_true", help="of these, only the ones that are due")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--all-records", action="store_true", help="fetch all records, not only new ones")
    what.add_argument("--from", dest="begin", metavar="DATE", help="fetch records with datestamps from here on")
    parser.add_argument("--until", dest="end", metavar="DATE", help="up to here, a day included")

    parser = add(subparsers, "clean-up", _clean_up, "Make what the catalogue should hold and does not.")
    parser.add_argument("--full", action="store_true", help="go through all records")

    parser = add(subparsers, "deliver", _deliver, "Tell the sinks of repositories what has changed.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="repositories; default: all active ones")


def service(command: Command) -> HarvestService:
    """Open the store, and bring it up to the file of repositories."""
    found = HarvestService(command.store(), login_from_environment)
    found.synchronise()
    return found


def _harvest(command: Command) -> int:
    arguments = command.arguments
    window = Window.read(arguments.begin, arguments.end) if arguments.begin or arguments.end else None
    mode = Mode.FULL if arguments.all_records else Mode.INCREMENTAL
    harvests = service(command)
    names = arguments.names or active_repositories(harvests.database)
    if arguments.due:
        due = due_repositories(harvests.database, utc_now())
        names = [name for name in due if name in names]
    failed = False
    for outcome in harvests.harvest_all(names, mode=Mode.WINDOW if window else mode, window=window):
        if outcome.report is not None:
            command.write(outcome.report.values(), str(outcome.report))
            failed = _tell_sinks(command, harvests, outcome.repository) or failed
        else:
            failed = True
            command.complain(f"{outcome.repository}: {outcome.error}")
    return int(failed)


def _tell_sinks(command: Command, harvests: HarvestService, name: str) -> bool:
    failed = False
    for delivery in harvests.deliver(name):
        if delivery.error:
            failed = True
            command.complain(f"{name}: {delivery.sink}: {delivery.error}")
    return failed


def _deliver(command: Command) -> int:
    harvests = service(command)
    names = command.arguments.names or active_repositories(harvests.database)
    return int(any([_tell_sinks(command, harvests, name) for name in names]))


def _clean_up(command: Command) -> int:
    report = clean_up(service(command).database, full=command.arguments.full)
    command.write(report.values(), str(report))
    for reason in report.skipped:
        command.complain(reason)
    return int(bool(report.skipped))
