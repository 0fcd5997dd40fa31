"""A real browser without a window, where one is installed: what a page looks like from inside."""

import json
import re
import shutil
import subprocess
from html import unescape

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
COMMAND = next(filter(None, map(shutil.which, NAMES)), None)

# Added to a copy of a page, which itself has no script: what a reader would see, written into the document.
PROBE = """<script>
const faults = [];
addEventListener("error", event => faults.push(String(event.message || event.target.src)), true);
document.addEventListener("securitypolicyviolation", event => faults.push("refused: " + event.blockedURI));
addEventListener("load", () => {
  const images = [...document.images].map(image => image.naturalWidth * image.complete);
  const low = [...document.querySelectorAll("p, dd, td, th, figcaption")];
  const sizes = low.map(element => parseFloat(getComputedStyle(element).fontSize));
  const told = {images, faults, width: innerWidth, needed: document.documentElement.scrollWidth,
                smallest: Math.min(...sizes), background: getComputedStyle(document.body).backgroundColor};
  document.body.insertAdjacentHTML("beforeend", "<pre id='told'></pre>");
  document.getElementById("told").textContent = JSON.stringify(told);
});
</script></head>"""


def look_at(path, width, *, dark=False):
    """Open a copy of a page and return what the probe tells, with the messages of the console on the page itself."""
    text = path.read_text(encoding="utf-8")
    probed = path.with_name("probed.html")
    probed.write_text(
        text.replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'").replace(
            "</head>", PROBE, 1
        )
    )
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    dom = run(probed, f"--window-size={width},900", scheme, "--dump-dom").stdout
    told = json.loads(unescape(re.search(r"<pre id=\"told\">(.*?)</pre>", dom, re.DOTALL)[1]))
    console = run(path, f"--window-size={width},900", "--enable-logging=stderr", "--dump-dom").stderr
    return told | {"console": [line for line in console.splitlines() if "CONSOLE" in line]}


def run(path, *options):
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--virtual-time-budget=3000")
    return subprocess.run(
        [COMMAND, *quiet, *options, path.as_uri()], capture_output=True, text=True, check=True, timeout=120
    )
