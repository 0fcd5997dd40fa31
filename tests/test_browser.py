"""The browser of the tests: a broken one is passed over, and what keeps one from being fetched is said."""

import os
import subprocess
import tarfile

import browser
import get_browser
import pytest

needs_shell = pytest.mark.skipif(os.name == "nt", reason="the browsers here are scripts of the shell")


def put(folder, name, script):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@needs_shell
def test_the_first_browser_that_runs_is_taken(tmp_path, monkeypatch):
    put(tmp_path, browser.NAMES[0], "exit 1")
    put(tmp_path, browser.NAMES[1], "exec sleep 60")
    monkeypatch.setattr(browser, "STARTING", 0.5)
    monkeypatch.setattr(browser, "FOLDER", tmp_path / "own")
    monkeypatch.setattr(browser.platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    monkeypatch.setattr(browser, "NAMES", browser.NAMES[:2])
    assert browser.find_browser() is None
    own = put(tmp_path / "own", "chromium", f'test "$LD_LIBRARY_PATH" = "{tmp_path}/own/lib"')
    monkeypatch.setattr(browser, "STARTING", 10)
    put(tmp_path, browser.NAMES[1], "exit 1")
    assert browser.find_browser() == own
    good = put(tmp_path, browser.NAMES[1], "exit 0")
    assert browser.find_browser() == good


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (tarfile.ReadError("not a gzip file"), "(not a gzip file)"),
        (TypeError("unexpected keyword 'filter'"), "(unexpected keyword 'filter')"),
        (subprocess.CalledProcessError(1, ["pip"], stderr="no such version\n"), "exit status 1.: no such version)"),
        (subprocess.TimeoutExpired(["npm"], 100), "timed out after 100 seconds)"),
    ],
)
def test_what_goes_wrong_is_said_and_is_no_error(monkeypatch, capsys, error, text):
    def fail():
        raise error

    monkeypatch.setattr(browser, "find_browser", lambda: None)
    monkeypatch.setattr(get_browser, "get", fail)
    get_browser.main()
    said = capsys.readouterr().out
    assert said.startswith("Browser: NONE")
    assert text in said


def test_all_commands_together_have_one_limit(monkeypatch):
    limits = []
    monkeypatch.setattr(subprocess, "run", lambda words, **options: limits.append(options["timeout"]))
    monkeypatch.setattr(get_browser, "BEGIN", get_browser.time.monotonic() - 200)
    get_browser.run("npm")
    assert 0 < limits[0] <= get_browser.LIMIT - 200
