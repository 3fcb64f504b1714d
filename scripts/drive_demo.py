"""Start `make run` as a newcomer does, log in, see the application, press Ctrl-C.

Needs nothing but Python, because it runs on a machine that has nothing else. Prints what it saw; ends with an error
at the first thing that is not as the README promises.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PORTAL = "localhost:9091"
APPLICATION = "localhost:8080"

# The first start installs everything, over whatever line the machine has.
PATIENCE_SECONDS = 1800
STOP_SECONDS = 30


class NotAsPromised(Exception):
    """Something that the README promises did not happen."""


def expect(*, that: bool, promise: str, seen: object = None) -> None:
    """Print a promise that is kept, stop at one that is not."""
    if not that:
        raise NotAsPromised(promise if seen is None else f"{promise} (seen: {seen})")
    print(f"    ok: {promise}", flush=True)


def processes() -> set[int]:
    """List the processes of this machine."""
    return {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()}


@contextlib.contextmanager
def demo() -> Iterator[subprocess.Popen[str]]:
    """Run `make run` in a process group of its own, as a terminal would."""
    with subprocess.Popen(
        ["make", "run"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as make:
        patience = threading.Timer(PATIENCE_SECONDS, os.killpg, (make.pid, signal.SIGKILL))
        patience.start()
        try:
            yield make
        finally:
            patience.cancel()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(make.pid, signal.SIGKILL)


def read_greeting(make: subprocess.Popen[str]) -> str:
    """Read what the demo prints until all that one needs has appeared."""
    assert make.stdout is not None  # noqa: S101 (asked for above, and mypy cannot know)
    seen = ""
    for line in make.stdout:
        print(f"    | {line}", end="", flush=True)
        seen += line
        if all(part in seen for part in (PORTAL, APPLICATION, "Administrator:", "Password:")):
            return seen
    message = "the demo prints its two addresses, the administrator and the password"
    raise NotAsPromised(message)


def value_of(label: str, greeting: str) -> str:
    """Find what stands behind a label on a line of its own."""
    found = re.search(rf"^\s*{label}:\s*(\S+)\s*$", greeting, re.MULTILINE)
    if found is None:
        message = f"a line of its own says {label}"
        raise NotAsPromised(message)
    return found[1]


def ask(host: str, path: str, *, method: str = "GET", body: object = None, **headers: str) -> tuple[HTTPResponse, str]:
    """Send one request, follow nothing."""
    connection = HTTPConnection(host, timeout=10)
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def visit_as_stranger() -> None:
    """Be refused: a person with the way to the login page, a program with a clear no."""
    answer, _ = ask(APPLICATION, "/?a=1&b=2", Accept="text/html", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")
    target = urlsplit(answer.headers["Location"] or "")
    sent_to_portal = answer.status == HTTPStatus.FOUND and target.netloc == PORTAL
    expect(that=sent_to_portal, promise="a stranger is sent to log in", seen=answer.status)
    wanted = parse_qs(target.query).get("rd")
    expect(
        that=wanted == [f"http://{APPLICATION}/?a=1&b=2"],
        promise="with the whole address that they wanted",
        seen=wanted,
    )
    answer, _ = ask(APPLICATION, "/api/convos", Accept="application/json")
    expect(that=answer.status == HTTPStatus.UNAUTHORIZED, promise="a program gets 401", seen=answer.status)


def visit_as(administrator: str, password: str) -> None:
    """Log in and be let through, as a program with the token and as a browser with the cookies."""
    login = {"email": administrator, "password": password}
    answer, text = ask(PORTAL, "/api/auth/login", method="POST", body=login, Content_Type="application/json")
    expect(that=answer.status == HTTPStatus.OK, promise="the printed password logs in", seen=answer.status)
    cookies = "; ".join(cookie.split(";")[0] for cookie in answer.headers.get_all("Set-Cookie") or [])

    answer, _ = ask(APPLICATION, "/api/convos", Authorization=f"Bearer {json.loads(text)['token']}")
    expect(that=answer.status == HTTPStatus.OK, promise="a program with the token is let in", seen=answer.status)
    answer, text = ask(APPLICATION, "/", Accept="text/html", Cookie=cookies)
    greeted = answer.status == HTTPStatus.OK and administrator in text
    expect(that=greeted, promise="the application knows who is there", seen=answer.status)


def press_ctrl_c(make: subprocess.Popen[str], *, before: set[int]) -> None:
    """Interrupt the whole group, as a terminal does, and see that nothing is left."""
    os.killpg(make.pid, signal.SIGINT)
    try:
        make.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        expect(that=False, promise="Ctrl-C ends the demo")
    expect(that=processes() <= before, promise="Ctrl-C ends everything that the demo started")


def main() -> None:
    """Play the newcomer."""
    before = processes()
    with demo() as make:
        greeting = read_greeting(make)
        visit_as_stranger()
        visit_as(value_of("Administrator", greeting), value_of("Password", greeting))
        press_ctrl_c(make, before=before)


if __name__ == "__main__":
    try:
        main()
    except NotAsPromised as broken:
        sys.exit(f"    NOT SO: {broken}")
