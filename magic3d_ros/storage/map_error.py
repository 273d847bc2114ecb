"""The one error of the storage room."""


class MapError(ValueError):
    """A map that cannot be saved or loaded; the message names the cause and the cure."""
