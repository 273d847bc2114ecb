"""Forgets packages that a killed pip left without all their files, which pip would count as installed."""

import shutil
import sysconfig
from importlib.metadata import PathDistribution
from pathlib import Path

for record in Path(sysconfig.get_path("purelib")).glob("*.dist-info"):
    package = PathDistribution(record)
    files = [f for f in package.files or [] if f.suffix != ".pyc"]
    if not files or not all(Path(package.locate_file(f)).exists() for f in files):
        shutil.rmtree(record)
