"""Children end with the command that started them, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from magic3d_ros.child_process import Child, ChildDied, children, signals_afterwards

SLEEPER = "import time; print('ready', flush=True); time.sleep(600)"
STUBBORN = ("import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            "print('ready', flush=True); time.sleep(600)")


def child(tmp_path: Path, code: str) -> Child:
    return Child("sleeper", [sys.executable, "-c", code], tmp_path / "log", os.environ)


def until(condition, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_children_end_with_the_block(tmp_path):
    with children() as register:
        started = register(child(tmp_path, SLEEPER))
        assert until(lambda: "ready" in started.log.read_text())
        assert started.running
    assert not started.running
    assert started.returncode != 0


def test_children_end_when_the_block_fails(tmp_path):
    with pytest.raises(KeyboardInterrupt), children() as register:
        started = register(child(tmp_path, SLEEPER))
        raise KeyboardInterrupt
    assert not started.running


def test_a_child_that_ignores_signals_is_killed(tmp_path):
    started = child(tmp_path, STUBBORN)
    assert until(lambda: "ready" in started.log.read_text())
    started.stop(patience=0.2)
    assert started.returncode == -signal.SIGKILL


def test_a_death_is_told_with_the_last_words(tmp_path):
    started = child(tmp_path, "print('loading'); print('no such camera'); raise SystemExit(3)")
    assert until(lambda: not started.running)
    with pytest.raises(ChildDied, match=r"sleeper ended with exit code 3(.|\n)*no such camera"):
        started.check()


def test_a_clean_end_is_no_death(tmp_path):
    started = child(tmp_path, "print('done')")
    assert until(lambda: not started.running)
    started.check()


PARENT = """
import os, sys
from pathlib import Path
from magic3d_ros.child_process import Child, children
with children() as register:
    started = register(Child("c", [sys.executable, "-c", {code!r}], Path({log!r}), os.environ))
    print(started._process.pid, flush=True)
    import time
    time.sleep(600)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the death signal is Linux's")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_child_survives_its_parent(tmp_path, number):
    code = PARENT.format(code=SLEEPER, log=str(tmp_path / "log"))
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    pid = int(parent.stdout.readline())
    assert until(lambda: "ready" in (tmp_path / "log").read_text())
    parent.send_signal(number)
    parent.wait(30)
    assert until(lambda: not alive(pid))


def test_signals_wait_for_the_end_of_the_block():
    reached = False
    with pytest.raises(KeyboardInterrupt), signals_afterwards():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        reached = True
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
