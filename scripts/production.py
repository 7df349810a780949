"""The production set-up without Docker: the services of docker-compose.yaml as processes of this machine.

    python -m scripts.production up                      # LocalExecutor
    python -m scripts.production up --workers 2          # CeleryExecutor with Redis and two workers
    python -m scripts.production demo [--workers 2]      # with two simulated Opencasts and a migration between them
    python -m scripts.production clean

PostgreSQL and Redis come from the system's packages. Everything listens on 127.0.0.1, on ports and in a folder of its
own, and is ended by its process id.
"""

from __future__ import annotations

import argparse
import sys
import time

from scripts.compose import ROOT
from scripts.production_server import Production
from scripts.services import missing

FOLDER = ROOT / ".production"
MIGRATE = "opencast_migrate"


def up(server: Production) -> int:
    """Start everything, and say where to look."""
    server.start()
    server.log_in()
    server.wait_for_dag(MIGRATE)
    print(f"\nAirflow runs at {server.url}; log in as admin, the password is in {FOLDER / 'secrets/admin_password'}.")
    print("`python -m scripts.production clean` ends and removes everything.")
    return 0


def demo(server: Production) -> int:
    """Start everything with two simulated Opencasts, and migrate between them."""
    began = time.monotonic()
    server.start()
    server.log_in()
    server.start_simulators()
    server.wait_for_dag(MIGRATE)
    server.run_once("demo")
    run_id = server.first_run(MIGRATE)
    state = server.wait_for_run(MIGRATE, run_id, timeout=900)
    print(f"\nThe migration's run ended as {state} after {time.monotonic() - began:.0f} s in all: {server.url}")
    return 0 if state == "success" else 1


def clean(server: Production) -> int:
    """End what was started here, and remove what it made."""
    print(f"Ended: {', '.join(server.end()) or 'nothing was running'}.")
    server.remove()
    return 0


def main(arguments: list[str]) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("up", "demo", "clean"))
    parser.add_argument("--workers", type=int, default=0, help="Celery workers; 0 takes the LocalExecutor")
    options = parser.parse_args(arguments)
    absent = missing()
    if absent and options.command != "clean":
        raise SystemExit(f"On Debian and Ubuntu: apt-get install {' '.join(absent)}")
    return {"up": up, "demo": demo, "clean": clean}[options.command](Production(FOLDER, options.workers))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
