from __future__ import annotations

import importlib
import types

import pytest

from magic3d_ros.geometry import open3d_import


def imports(monkeypatch, answers: dict) -> list[str]:
    asked = []

    def import_module(name: str):
        asked.append(name)
        answer = answers[name].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(open3d_import.importlib, "import_module", import_module)
    return asked


def test_gives_the_module_where_it_imports():
    pytest.importorskip("open3d")
    assert open3d_import.load_open3d() is importlib.import_module("open3d")


def test_loads_libusb_from_its_wheel_and_tries_again(monkeypatch):
    module, loaded = types.ModuleType("open3d"), []
    package = types.SimpleNamespace(get_library_path=lambda: "/somewhere/libusb-1.0.so")
    asked = imports(monkeypatch, {"open3d": [OSError("libusb-1.0.so.0: cannot open shared object file"), module],
                                  "libusb_package": [package]})
    monkeypatch.setattr(open3d_import.ctypes, "CDLL", lambda path, mode: loaded.append((path, mode)))
    assert open3d_import.load_open3d() is module
    assert asked == ["open3d", "libusb_package", "open3d"]
    assert loaded == [("/somewhere/libusb-1.0.so", open3d_import.ctypes.RTLD_GLOBAL)]


def test_names_the_cure(monkeypatch):
    missing = OSError("libusb-1.0.so.0: cannot open shared object file")
    imports(monkeypatch, {"open3d": [missing], "libusb_package": [ModuleNotFoundError("libusb_package")]})
    with pytest.raises(ImportError, match=r"apt install libusb-1\.0-0"):
        open3d_import.load_open3d()
    imports(monkeypatch, {"open3d": [ModuleNotFoundError("open3d")]})
    with pytest.raises(ImportError, match="pip install open3d"):
        open3d_import.load_open3d()
    imports(monkeypatch, {"open3d": [OSError("libGL.so.1: cannot open shared object file")]})
    with pytest.raises(ImportError, match="libGL"):
        open3d_import.load_open3d()
