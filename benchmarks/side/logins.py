"""People who log in, one login after another on each connection. `logins.py PORT FILE SECONDS`; FILE is JSON.

Prints how many there were, and how many were told to come back (503); any other answer ends it.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

# Several times as many as hash threads: one always waits for them.
CONNECTIONS = 16


def _log_in(port: int, bodies: Sequence[str], *, until: float) -> Counter[int]:
    """Give how often each status was the answer."""
    answered: Counter[int] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while time.monotonic() < until:
        body = bodies[answered.total() % len(bodies)]
        connection.request("POST", "/api/auth/login", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        said = response.read()
        answered[response.status] += 1
        if response.status not in {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}:
            sys.exit(f"a login was answered {response.status}: {said[:200]!r}")
    connection.close()
    return answered


def main() -> None:
    port, file, seconds = int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    people = json.loads(file.read_text())
    bodies = [json.dumps({"email": email, "password": people["password"]}) for email in people["emails"]]
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        # Nobody is two people's turn: an account lets a few in at a time.
        runs = [
            threads.submit(_log_in, port, bodies[number::CONNECTIONS], until=until) for number in range(CONNECTIONS)
        ]
        answered = sum((run.result() for run in runs), Counter[int]())
    print(answered[HTTPStatus.OK], answered[HTTPStatus.SERVICE_UNAVAILABLE])


if __name__ == "__main__":
    main()
