"""Lets waiting threads sleep.

A thread of GNU OpenMP that waits for the others spins for milliseconds by default. Where the machine does
other things, too, it so keeps the processor from those it waits for. OpenMP reads its environment once, when
it is loaded; afterwards the environment is again as it was.
"""

import os

_given = os.environ.get("GOMP_SPINCOUNT")
if "OMP_WAIT_POLICY" not in os.environ and _given is None:
    os.environ["GOMP_SPINCOUNT"] = "1000"


def restore() -> None:
    """Takes back what importing this module set."""
    if _given is None:
        os.environ.pop("GOMP_SPINCOUNT", None)
