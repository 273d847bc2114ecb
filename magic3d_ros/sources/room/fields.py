"""Reading a scene's YAML: every value is checked where it is taken, and the error names its key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from magic3d_ros.sources.source import SourceError


class SceneError(SourceError):
    """A scene description that cannot be used; the message names the file, the key and what is allowed there."""


class Fields:
    """One mapping of a scene file. Take what is known, then call `finish`: what is left over is an error."""

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, Mapping):
            raise SceneError(f"{where} must be a mapping of keys, not {_shown(values)}")
        self._values, self.where = values, where
        self._taken: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._values

    def value(self, key: str, default: Any = None, required: bool = False) -> Any:
        """What stands there, unchecked."""
        self._taken.add(key)
        if key not in self._values and required:
            near = difflib.get_close_matches(key, [str(k) for k in self._values], 1)
            raise SceneError(f"{self.where}: '{key}' is missing" + (f" ('{near[0]}' is there)" if near else ""))
        return self._values.get(key, default)

    def number(self, key: str, default: float | None = None, low: float = -np.inf, high: float = np.inf) -> float:
        """A finite number within low..high; without a default it must be there."""
        value = self.value(key, default, required=default is None)
        if not _is_number(value, low, high):
            raise SceneError(f"{self.where}: '{key}' must be a number{_range(low, high)}, not {_shown(value)}")
        return float(value)

    def whole(self, key: str, default: int | None = None, low: int = 0, high: int = 2**31) -> int:
        """A whole number within low..high."""
        value = self.number(key, default, low, high)
        if value != int(value):
            raise SceneError(f"{self.where}: '{key}' must be a whole number, not {value}")
        return int(value)

    def text(self, key: str, default: str | None = None, choices: Sequence[str] = ()) -> str:
        """A text, one of `choices` if there are any."""
        value = self.value(key, default, required=default is None)
        if not isinstance(value, str):
            raise SceneError(f"{self.where}: '{key}' must be a text, not {_shown(value)}")
        if choices and value not in choices:
            near = difflib.get_close_matches(value, choices, 1)
            hint = f": did you mean '{near[0]}'?" if near else f": there are {', '.join(sorted(choices))}"
            raise SceneError(f"{self.where}: '{key}' is '{value}', which does not exist{hint}")
        return value

    def vector(self, key: str, length: int, default: Sequence[float] | None = None, low: float = -np.inf,
               high: float = np.inf) -> np.ndarray:
        """(length,) float64."""
        return _row(self.value(key, default, required=default is None), length, low, high, f"{self.where}: '{key}'")

    def rows(self, key: str, width: int, least: int = 1) -> np.ndarray:
        """(n, width) float64, n >= least."""
        value = self.value(key, required=True)
        if not isinstance(value, list) or len(value) < least:
            raise SceneError(f"{self.where}: '{key}' must be {least} or more rows of {width} numbers, not {_shown(value)}")
        return np.stack([_row(row, width, -np.inf, np.inf, f"{self.where}: '{key}' row {i}") for i, row in enumerate(value)])

    def list(self, key: str) -> list[Fields]:
        """A list of mappings; none is an empty list."""
        value = self.value(key, [])
        if not isinstance(value, list):
            raise SceneError(f"{self.where}: '{key}' must be a list, not {_shown(value)}")
        return [Fields(item, f"{self.where}: {key}[{i}]") for i, item in enumerate(value)]

    def inner(self, key: str) -> Fields:
        """A mapping; a missing one is empty."""
        return Fields(self.value(key, {}), f"{self.where}: {key}")

    def mapping(self) -> dict[str, Any]:
        """All keys and values, unchecked, all taken."""
        self._taken.update(str(k) for k in self._values)
        return {str(k): v for k, v in self._values.items()}

    def finish(self) -> None:
        """Raise SceneError for keys that nobody took."""
        for key in self._values:
            if key not in self._taken:
                near = difflib.get_close_matches(str(key), self._taken, 1)
                hint = f": did you mean '{near[0]}'?" if near else f": there are {', '.join(sorted(self._taken))}"
                raise SceneError(f"{self.where}: unknown key '{key}'{hint}")


def _row(value: Any, length: int, low: float, high: float, where: str) -> np.ndarray:
    if isinstance(value, (list, tuple)) and len(value) == length and all(_is_number(v, low, high) for v in value):
        return np.array(value, np.float64)
    raise SceneError(f"{where} must be {length} numbers{_range(low, high)}, not {_shown(value)}")


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high and bool(np.isfinite(value))


def _range(low: float, high: float) -> str:
    return "" if low == -np.inf and high == np.inf else f" between {low:g} and {high:g}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."
