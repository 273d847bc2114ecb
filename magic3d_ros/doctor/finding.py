"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """level: OK, WARN (mapped, but worse than it could be) or ERROR (nothing will be reconstructed). subject: what was looked at.
    text: what was found, with figures. cure: what to do; empty when all is well."""

    level: Literal["OK", "WARN", "ERROR"]
    subject: str
    text: str
    cure: str = ""


def ok(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding("OK", subject, text)


def warning(subject: str, text: str, cure: str) -> Finding:
    """The map will be worse than it could be."""
    return Finding("WARN", subject, text, cure)


def error(subject: str, text: str, cure: str) -> Finding:
    """Nothing will be reconstructed."""
    return Finding("ERROR", subject, text, cure)
