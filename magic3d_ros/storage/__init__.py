"""Maps on disk: save, load, export. The layout of a map folder is in docs/map_format.md."""
