"""One self-contained HTML page about a map: pictures, numbers, answers, settings."""
