"""Serve a simulator: ``python -m tests.simulator --help``."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from tests.simulator import Library, Settings, Simulator


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description="Simulate an Opencast server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--storage", type=Path, required=True, help="directory for all files; it is emptied")
    parser.add_argument("--generation", type=int, choices=range(1, 18), default=17)
    parser.add_argument("--library", default="recorded", help="recorded, recorded-15, recorded-17, empty, generated")
    parser.add_argument("--events", type=int, default=100, help="number of generated events")
    parser.add_argument("--event-bytes", type=int, default=100_000, help="size of each generated video")
    parser.add_argument("--shared-fraction", type=float, default=0.0, help="part of the events with another's video")
    parser.add_argument("--events-in-series", type=int, default=40, help="generated events in each series")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sparse", action="store_true", help="videos of zeros that take no room")
    parser.add_argument("--lazy", action=argparse.BooleanOptionalAction, help="write files when they are asked for")
    parser.add_argument(
        "--oai-records", type=int, help="records in the OAI-PMH repository, made up where none are left"
    )
    parser.add_argument("--oai-open", action="store_true", help="let anybody harvest")
    parser.add_argument("--index-lag", type=float, default=0.0, help="seconds until a write shows in /api")
    parser.add_argument("--operation-seconds", type=float, default=0.002)
    parser.add_argument("--dispatch-seconds", type=float, default=0.0)
    parser.add_argument("--running-workflows", type=int, default=8)
    parser.add_argument("--delete-seconds", type=float, default=0.0)
    parser.add_argument("--version", help="what the server says of its version, 12.3.0 for example")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Make the simulator, say where it is, and serve."""
    options = arguments(given)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING)
    library = Library(
        options.library, options.events, options.event_bytes, options.shared_fraction, options.seed, options.sparse,
        options.lazy, oai_records=options.oai_records, events_in_series=options.events_in_series,
    )  # fmt: skip
    settings = Settings(
        generation=options.generation, version=options.version, index_lag=options.index_lag,
        dispatch_seconds=options.dispatch_seconds, operation_seconds=options.operation_seconds,
        running_workflows=options.running_workflows, delete_seconds=options.delete_seconds,
        oai_open=options.oai_open,
    )  # fmt: skip
    simulator = Simulator(options.storage, library, settings, options.host, options.port)
    simulator.listen()
    print(f"simulator ready: {simulator.url}", flush=True)
    simulator.serve()


if __name__ == "__main__":
    main()
