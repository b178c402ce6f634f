"""Limits its own process and then becomes the program that it was told to run.

Started as a script by `inference.confined`, so that no code runs between fork and exec
in a worker with threads.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def limit(*, parent: int, memory: int, file: int, cpu: int) -> None:
    """Cap memory, sizes of files and processor seconds, and die with the worker."""
    for what, amount in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_FSIZE, file),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(what)
        value = amount if most == resource.RLIM_INFINITY else min(amount, most)
        resource.setrlimit(what, (value, value))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("The worker ended before the program began.")


def main(arguments: list[str]) -> None:
    parent, memory, file, cpu = map(int, arguments[:4])
    command = arguments[4:]
    limit(parent=parent, memory=memory, file=file, cpu=cpu)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} can't be started: {error.strerror}.")


if __name__ == "__main__":
    main(sys.argv[1:])
