"""Folder layouts, one module each: `recognise(folder)` says whether a folder has it, `read(folder, settings)` gives a Recording.

`read` raises SourceError when the folder has the layout but cannot be used at all. Asked in this order: the plain
layout last, because ScanNet and TUM have its folders too.
"""

from magic3d_ros.sources.layouts import plain, replica, scannet, seven_scenes, tum

LAYOUTS = (scannet, replica, tum, seven_scenes, plain)
