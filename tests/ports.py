"""Ports for the servers that tests start."""

import os
import random
import socket

FIRST_PORT, PORTS_PER_WORKER = 20_000, 1000  # below 32,768, from where systems take ports for outgoing connections


def free_port() -> int:
    """A free port from a range that belongs to this pytest-xdist worker, so that no other worker takes it first."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12
    first = FIRST_PORT + PORTS_PER_WORKER * worker
    for port in random.SystemRandom().sample(range(first, first + PORTS_PER_WORKER), PORTS_PER_WORKER):
        with socket.socket() as candidate:
            if candidate.connect_ex(("127.0.0.1", port)):
                return port
    raise RuntimeError(f"None of the ports {first} to {first + PORTS_PER_WORKER - 1} is free.")
