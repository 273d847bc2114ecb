"""Sharing the processor."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
import torch

from magic3d_ros.cpu_sharing import give_way, let_pass, one_thread, wait_without_spinning


def test_the_users_choice_of_waiting_stays():
    environment = {"OMP_WAIT_POLICY": "ACTIVE"}
    wait_without_spinning(environment)
    assert environment == {"OMP_WAIT_POLICY": "ACTIVE"}
    wait_without_spinning(environment := {})
    assert environment == {"OMP_WAIT_POLICY": "PASSIVE"}


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is a thread's own on Linux only")
def test_only_the_thread_that_gives_way_is_nice():
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before, inside = niceness(), []

    def work() -> None:
        give_way()
        inside.append(niceness())
        started = threading.Thread(target=lambda: inside.append(niceness()))
        started.start()
        started.join()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert inside == [max(10, before)] * 2 and niceness() == before


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is a thread's own on Linux only")
def test_a_process_that_is_nicer_stays_so():
    """An ordinary user may not take niceness back: asking for less would end in an error."""
    program = ("import os, threading; os.nice(15); from magic3d_ros.cpu_sharing import give_way; give_way(); "
               "print(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) >= 15


def test_who_holds_the_lock_is_let_pass():
    lock, passed = threading.Lock(), []
    thread = threading.Thread(target=lambda: passed.append(let_pass(lock)))
    with lock:
        thread.start()
        thread.join(0.05)
        assert not passed
    thread.join()
    assert passed and not lock.locked()
    let_pass(None)


def test_one_thread_is_for_the_calling_thread_and_ends() -> None:
    torch.set_num_threads(2)
    seen: list[int] = []
    entered, asked = threading.Event(), threading.Event()

    def other() -> None:
        torch.get_num_threads()  # its own number is set when it first asks
        entered.set()
        asked.wait()
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=other)
    thread.start()
    entered.wait()
    with one_thread():
        assert torch.get_num_threads() == 1
        asked.set()
        thread.join()
    assert seen == [2] and torch.get_num_threads() == 2
    with pytest.raises(RuntimeError, match="from within"), one_thread():
        raise RuntimeError("from within")
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
