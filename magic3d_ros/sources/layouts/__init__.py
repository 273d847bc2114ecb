"""Folder layouts, one module each: `recognise(folder)` says whether a folder has it, `read(folder, settings)` gives a Recording.

`read` raises SourceError when the folder has the layout but cannot be used at all.
"""

from magic3d_ros.sources.layouts import plain

LAYOUTS = (plain,)
