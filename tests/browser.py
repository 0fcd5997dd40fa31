"""A real browser without a window: what a page looks like from inside, and a picture of it.

It is spoken to over two pipes (Chrome DevTools Protocol), so that the page itself is the one that a reader gets, at any
width: a window cannot be as narrow as a telephone.
"""

import base64
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 120
"""Seconds that a page may take."""
STARTING = 10
"""Seconds in which it must tell its version, a few more than it takes."""
FOLDER = Path(__file__).parents[1] / ".browser"
"""Where get_browser.py puts one."""


def find_browser():
    """Path of the first browser that runs, or None: a file of that name may be broken."""
    found = [path for path in map(shutil.which, NAMES) if path]
    own = [str(FOLDER / "chromium")] if platform.machine() == "x86_64" else []
    return next(filter(_runs, found + own), None)


def _runs(path):
    try:
        tried = subprocess.run([path, "--version"], capture_output=True, timeout=STARTING, env=_environment(path))
    except (OSError, subprocess.SubprocessError):
        return False
    return tried.returncode == 0


def _environment(path):
    """With the libraries and fonts that our own browser brings along."""
    if Path(path).parent != FOLDER:
        return dict(os.environ)
    return os.environ | {"LD_LIBRARY_PATH": str(FOLDER / "lib"), "FONTCONFIG_PATH": str(FOLDER)}


COMMAND = find_browser()

# What a reader would see, asked of the page.
PROBE = """(() => {
  const low = [...document.querySelectorAll("p, dd, td, th, figcaption")];
  return {
    images: [...document.images].map(image => image.complete * image.naturalWidth),
    width: innerWidth,
    needed: document.documentElement.scrollWidth,
    height: document.documentElement.scrollHeight,
    smallest: Math.min(...low.map(element => parseFloat(getComputedStyle(element).fontSize))),
    background: getComputedStyle(document.body).backgroundColor,
  };
})()"""
# The browser reads from file 3 and writes to file 4.
BEGIN = "import os, sys; [os.dup2(int(fd), at) for fd, at in zip(sys.argv[1:3] + [63, 64], (63, 64, 3, 4))]; "
BEGIN += "os.execv(sys.argv[3], sys.argv[3:])"
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe")
TROUBLE = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Network.loadingFailed")


def look_at(path, width, *, dark=False, picture=None):
    """Open a page and return what the probe finds, with the faults that the console shows; draw it whole."""
    with _opened() as talk:
        for domain in ("Page", "Log", "Runtime", "Network"):
            talk(f"{domain}.enable")
        size = {"width": width, "deviceScaleFactor": 1, "mobile": width < 600}
        talk("Emulation.setDeviceMetricsOverride", **size, height=900)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        talk("Emulation.setEmulatedMedia", features=[scheme])
        talk("Page.navigate", url=path.as_uri())
        talk.wait("Page.loadEventFired")
        found = talk("Runtime.evaluate", expression=PROBE, returnByValue=True)["result"]["value"]
        if picture:
            talk("Emulation.setDeviceMetricsOverride", **size, height=found["height"])
            picture.write_bytes(base64.b64decode(talk("Page.captureScreenshot")["data"]))
        return found | {"faults": [event["params"] for event in talk.events if event["method"] in TROUBLE]}


class Talk:
    """One page of a browser: commands, their answers, and the events in between."""

    def __init__(self, to, back):
        self.to, self.back, self.events, self.count, self.session = to, back, [], 0, None
        self.unread = b""
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self.session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def __call__(self, method, **params):
        self.count += 1
        of_page = {"sessionId": self.session} if self.session else {}
        self.to.write(json.dumps({"id": self.count, "method": method, "params": params} | of_page).encode() + b"\0")
        self.to.flush()
        while (answer := self._next()).get("id") != self.count:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def wait(self, event):
        while event not in [seen["method"] for seen in self.events]:
            self._next()

    def _next(self):
        parts = [self.unread]
        while b"\0" not in parts[-1]:
            parts.append(self.back.read1())
            if not parts[-1]:
                raise RuntimeError("The browser has gone, or was too slow.")
        message, _, self.unread = b"".join(parts).partition(b"\0")
        found = json.loads(message)
        if "method" in found:
            self.events.append(found)
        return found


@contextlib.contextmanager
def _opened():
    """A blank page of a new browser, which is closed in the end."""
    (theirs, to), (back, their_answer) = os.pipe(), os.pipe()
    with _folder() as profile, open(to, "wb") as commands, open(back, "rb") as answers:
        words = [sys.executable, "-c", BEGIN, str(theirs), str(their_answer), str(COMMAND), *QUIET]
        process = subprocess.Popen(
            [*words, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(theirs, their_answer),
            env=_environment(COMMAND),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(their_answer)
        limit = threading.Timer(PATIENCE, process.kill)
        limit.start()
        try:
            yield Talk(commands, answers)
        finally:
            limit.cancel()
            process.kill()
            process.wait()


def _folder():
    # processes of the browser may still be writing there when it ends
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
