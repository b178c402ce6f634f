"""Runs every bench of this folder, or the named ones; prints a table, writes a file."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bench
from bench.rows import Row, format_table

FRAME = {"__main__", "material", "rows", "seat", "site", "stock"}
RESULT = Path("bench.json")


def find_benches() -> list[str]:
    """The modules here that have something to run."""
    names = (module.name for module in pkgutil.iter_modules(bench.__path__))
    return sorted(name for name in names if name not in FRAME)


def describe_machine() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("django", "torch", "nnunetv2")},
    }


def set_up(folder: str) -> None:
    """The product on a data folder of its own, with empty tables."""
    os.environ["DATA_DIR"] = folder
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)


def run_bench(name: str) -> list[Row]:
    """Run a bench, or the part of it that stands after a colon."""
    module, _, part = name.partition(":")
    run = importlib.import_module(f"bench.{module}").run
    rows: list[Row] = run(part) if part else run()
    return rows


def main(names: list[str]) -> int:
    unknown = {name.partition(":")[0] for name in names} - set(find_benches())
    if unknown:
        print(f"No bench {sorted(unknown)}; choose of {find_benches()}.")
        return 2
    result: dict[str, Any] = describe_machine()
    rows: list[Row] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="blindfold-bench-") as folder:
        set_up(folder)
        for name in names or find_benches():
            print(f"{name} …", file=sys.stderr, flush=True)
            try:
                rows += run_bench(name)
            except Exception:
                # The other figures are still wanted; the exit code tells of this one.
                traceback.print_exc()
                failed.append(name)
    print(format_table(rows))
    result |= {"rows": [row.to_json() for row in rows], "failed": failed}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nWritten to {RESULT}." + (f" Failed: {failed}." if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
