"""The report is one file that needs nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from magic3d_ros.report import picture
from magic3d_ros.report.build import write_report

QUESTIONS = ("where is the floor", "a bicycle")


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data + " "


@pytest.fixture(scope="module")
def written(mapped_room, tmp_path_factory):
    pipeline, run = mapped_room
    path = tmp_path_factory.mktemp("report") / "report.html"
    statistics = run.statistics() | {"hold_out": {"in25": 0.9, "psnr": 24.5, "ssim": 0.8, "frames": 2}}
    write_report(path, pipeline, statistics, QUESTIONS)
    return path


def test_nothing_is_fetched(written):
    text = written.read_text()
    page = Page(text)
    fetching = ("src", "href", "srcset", "data")
    links = [value for _, attributes in page.tags for name, value in attributes.items() if name in fetching]
    assert len(links) > 5
    assert all(link.startswith("data:image/webp;base64,") for link in links)
    assert not re.search(r"url\(|@import|<script|<link|<iframe|http-equiv", text)
    assert not re.search(r"https?://", text)


def test_it_is_small(written):
    assert 20_000 < written.stat().st_size < 5_000_000


def test_it_says_what_was_found(written, mapped_room):
    text = " ".join(Page(written.read_text()).text.split())
    assert f"{len(mapped_room[0].scene.surface):,}" in text
    for question in QUESTIONS:
        assert f"“{question}”" in text
    assert "not found" in text
    assert "held-out frames: psnr 24.500" in text
    assert "map.voxel_size" in text
    assert "integrate" in text


def test_pictures_can_be_read_and_have_a_description(written):
    import base64

    import cv2

    images = [attributes for tag, attributes in Page(written.read_text()).tags if tag == "img"]
    for image in images:
        data = np.frombuffer(base64.b64decode(image["src"].partition(",")[2]), np.uint8)
        assert cv2.imdecode(data, cv2.IMREAD_UNCHANGED).size > 0
        assert image["alt"]


def test_labels_cannot_bring_html(mapped_room, tmp_path, monkeypatch):
    pipeline, run = mapped_room
    evil = tuple(replace(thing, label="<script>alert(1)</script>", probability=0.9) for thing in pipeline.scene.objects)
    monkeypatch.setattr(pipeline, "scene", replace(pipeline.scene, objects=evil))
    write_report(tmp_path / "report.html", pipeline, run.statistics(), ())
    text = (tmp_path / "report.html").read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_answers_of_a_running_mapper_are_shown_as_given(mapped_room, tmp_path):
    pipeline, run = mapped_room
    given = {"where is the floor": {"status": "not_found", "why": "the mapper said so", "objects": []}}
    write_report(tmp_path / "report.html", pipeline, run.statistics(), ("where is the floor",), given)
    text = Page((tmp_path / "report.html").read_text()).text
    assert "the mapper said so" in text


def test_colors_last_and_differ():
    colors = picture.palette(range(40))
    assert all((colors[i] == picture.palette([i])[i]).all() for i in range(40))
    gaps = [np.abs(colors[i].astype(int) - colors[i + 1].astype(int)).sum() for i in range(39)]
    assert min(gaps) > 60


def test_reduced_pictures_keep_their_colour_at_transparent_borders():
    image = np.zeros((4, 8, 4), np.uint8)
    image[:, :3] = (200, 100, 50, 255)
    small = picture.reduced(image, 4)
    assert small.shape == (2, 4, 4)
    np.testing.assert_array_equal(small[0, 1], [200, 100, 50, 127])
    assert picture.reduced(image, 100) is image
