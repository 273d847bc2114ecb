"""Questions with known answers: their files, what is true of things, and the scores, written out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from magic3d_ros.config import Settings
from magic3d_ros.evaluation.questions import ABSENT, PARAPHRASES, KnownQuestion, load_questions
from magic3d_ros.evaluation.questions_baselines import ConSE
from magic3d_ros.evaluation.questions_crops import cut, sights
from magic3d_ros.evaluation.questions_pictures import reliability_curve
from magic3d_ros.evaluation.questions_scenes import ReducedSource
from magic3d_ros.evaluation.questions_scores import Outcome, average_precision, ranking, rejection, reliability
from magic3d_ros.evaluation.questions_truth import BoxTruth, InstanceTruth, truth_of_room
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.language.answer import Status
from magic3d_ros.sources.room import open_room
from magic3d_ros.sources.room.description import load_description
from magic3d_ros.sources.room.simulated_room import SCENES

FILES = sorted((Path(__file__).parents[2] / "bench").glob("queries_*.yaml"))
STRUCTURE = {"floor", "ceiling", "wall", "window"}


def outcome(relevant, status=Status.FOUND, probability=0.5, right=("mug",), kind="objects"):
    question = KnownQuestion("a question", kind, frozenset(right), "tune")
    return Outcome("room", question, np.array(relevant, bool), status, probability)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_files_of_questions_are_sound(path):
    known = load_questions(path)
    kinds = {q.kind for q in known.questions}
    assert kinds >= {"objects", "affordances", "activities", "rare", PARAPHRASES, ABSENT}
    texts = [q.text for q in known.questions]
    assert len(set(texts)) == len(texts), "asked twice"
    assert all(q.split == "report" for q in known.questions if q.kind == PARAPHRASES)
    assert all(bool(q.right) == (q.kind != ABSENT) for q in known.questions)
    assert {q.split for q in known.questions if q.kind not in (PARAPHRASES, ABSENT)} == \
        {"tune" if known.name in ("living_room", "procedural_room", "redkitchen") else "report"}


@pytest.mark.parametrize("path", [f for f in FILES if "source: room:" in f.read_text(encoding="utf-8")], ids=lambda p: p.stem)
def test_answers_are_things_of_the_room_and_what_is_absent_is(path):
    known = load_questions(path)
    description = load_description(SCENES / f"{known.source.removeprefix('room:')}.yaml", known.name)
    names = {n for item in description.furniture for n in (item.label, item.name)} | STRUCTURE
    for question in known.questions:
        assert question.right <= names, (question.text, question.right - names)
        if question.kind == ABSENT:
            words = question.text.lower().removeprefix("a ").removeprefix("an ")
            assert words not in {n.replace("_", " ") for n in names}, question.text


def test_a_file_without_answers_is_refused(tmp_path):
    path = tmp_path / "queries_x.yaml"
    for content, message in (({"split": "tune", "source": "room:tiny", "questions": {"objects": {"mug": []}}, "paraphrases": {},
                               "absent": []}, "the answers of 'mug'"), ({"split": "some"}, "'split' must be"), ([1], "'split'")):
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            load_questions(path)


def test_average_precision_by_hand():
    assert average_precision(np.array([True, False, True, False])) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(np.zeros(3, bool)) == 0.0


def test_ranking_counts_what_the_map_does_not_hold_as_missed():
    found = ranking([outcome([True, False, False, False]), outcome([False, False, True, False]), outcome([False] * 4),
                     outcome([False] * 4, right=())])
    assert (found.count, found.first, found.three) == (3, pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert found.held == pytest.approx(2 / 3)
    assert found.average_precision == pytest.approx((1 + 1 / 3 + 0) / 3)
    # one of four things is right: first by chance 1/4, among three 3/4, average precision (1 + 1/2 + 1/3 + 1/4) / 4
    assert found.chance == pytest.approx((2 / 3 / 4, 2 / 3 * 3 / 4, 2 / 3 * 25 / 48))


def test_chance_is_what_random_orders_give():
    random = np.random.default_rng(0)
    things = np.arange(12) < 3
    orders = [random.permutation(things) for _ in range(4000)]
    expected = ranking([outcome(things)]).chance
    assert expected[0] == pytest.approx(np.mean([o[0] for o in orders]), abs=0.02)
    assert expected[1] == pytest.approx(np.mean([o[:3].any() for o in orders]), abs=0.02)
    assert expected[2] == pytest.approx(np.mean([average_precision(o) for o in orders]), abs=0.01)


def test_rejection_by_hand():
    absent, there = {"right": (), "relevant": [False] * 3}, {"relevant": [True, False, False]}
    rows = [outcome(status=Status.NOT_FOUND, **absent), outcome(status=Status.NOT_FOUND, **absent),
            outcome(status=Status.AMBIGUOUS, **absent), outcome(status=Status.NOT_FOUND, **there), outcome(**there),
            outcome([False] * 3, status=Status.NOT_FOUND), outcome([False] * 3)]
    found = rejection(rows)
    assert (found.absent, found.missing, found.rejected) == (3, 2, 1)
    assert found.precision == pytest.approx(2 / 3) and found.recall == pytest.approx(2 / 3) and found.f1 == pytest.approx(2 / 3)
    assert found.always == pytest.approx(2 * 0.6 * 1 / 1.6)


def test_calibration_error_by_hand():
    rows = [outcome([True], probability=0.92), outcome([False], probability=0.98), outcome([True], probability=0.05),
            outcome([True], probability=1.0)]
    error, table = reliability(rows)
    assert table[9].tolist() == pytest.approx([3, (0.92 + 0.98 + 1.0) / 3, 2 / 3])
    assert table[0].tolist() == pytest.approx([1, 0.05, 1.0])
    assert error == pytest.approx((3 * abs(2.9 / 3 - 2 / 3) + 0.95) / 4)
    picture = reliability_curve([("tune", error, table)])
    assert picture.dtype == np.uint8 and (picture != 255).any()


def test_a_thing_is_the_instance_that_most_of_its_points_lie_on():
    grid = np.stack(np.meshgrid(np.arange(10), np.arange(10), [0]), -1).reshape(-1, 3) * 0.02
    beside, above = np.array([1.0, 0, 0]), np.array([0, 0, 0.2])
    truth = InstanceTruth(np.concatenate([grid, grid + beside]), np.repeat([4, 7], 100),
                          {4: frozenset(("mug", "red_mug")), 7: frozenset(("table",))})
    assert truth.names(np.concatenate([grid[:60], grid[:30] + beside]) + 0.01) == {"mug", "red_mug"}
    assert truth.instance(grid + above) == -1 and truth.names(grid[:0]) == frozenset()


def test_hand_made_boxes_are_found_in_their_upright_axes():
    labels = {"axes": [[1, 0, 0], [0, 0, 1], [0, -1, 0]], "floor": -1.5,
              "things": [{"name": "shelf", "low": [-1, -1, 0], "high": [1, 1, 2]},
                         {"name": "mug", "low": [0, 0, 1], "high": [0.1, 0.1, 1.1]}]}
    truth = BoxTruth(labels)
    points = np.array([[0.05, 0.45, 0.05]])  # upright (.05, .05, -.45 + 1.5)
    assert truth.names(np.repeat(points, 5, 0)) == {"mug"}
    assert truth.names(np.array([[0.5, 1.0, 0.5]])) == {"shelf"} and truth.names(np.array([[9.0, 0, 0]])) == frozenset()


class Classes:
    """Three classes whose names are orthogonal; a text is one of them."""

    class_names = ("mug", "chair", "door")

    def text_similarity(self, texts, others):
        return np.array([[float(t == o) for o in others] for t in texts])


def test_conse_ranks_by_the_likeliest_classes(monkeypatch):
    monkeypatch.setattr("magic3d_ros.evaluation.questions_baselines.CONSE_CLASSES", 2)
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]))
    found = ConSE(Classes(), {5: logits[:1], 8: logits[1:]})
    assert found.ranked("mug") == [5, 8] and found.ranked("door") == [8, 5]
    # of thing 5: .7 mug and .2 chair, unit length; the third class is dropped
    np.testing.assert_allclose(found._weights[0], np.array([0.7, 0.2, 0.0]) / np.hypot(0.7, 0.2), atol=1e-6)


def test_crops_are_cut_where_a_thing_is_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    room = open_room("tiny", Settings(), frames=3, width=160, distractors=False)
    rendered = room.render(1)
    exact = RGBDFrame(0, rendered.frame.rgb, rendered.truth.depth, room.camera, room.poses[1])
    truth = truth_of_room(room)
    found = {s.instance: s for s in sights(exact, truth)}
    red = next(i for i in room.instances if i.name == "red_box")
    rows, columns = np.nonzero(rendered.truth.instance == red.id)
    left, top, right, bottom = found[red.id].box
    tight = np.array([columns.min(), rows.min(), columns.max(), rows.max()])
    expected = np.clip(tight + np.array([-6, -6, 6, 6]), 0, [160, 120, 160, 120])
    assert (abs(np.array([left, top, right, bottom]) - expected) <= 4).all()
    assert cut(exact.rgb, found[red.id]).shape == (bottom - top, right - left, 3)
    assert truth.names_of(red.id) == {"box", "red_box"}


def test_a_camera_without_depth_sees_nothing():
    camera = Camera(64, 48, 50.0, 50.0, 31.5, 23.5)
    frame = RGBDFrame(0, np.zeros((48, 64, 3), np.uint8), np.zeros((48, 64), np.float32), camera, np.eye(4))
    assert sights(frame, InstanceTruth(np.zeros((1, 3)), np.zeros(1, int), {})) == []


@pytest.mark.parametrize(("total", "about", "taken"), [(81, 72, 81), (334, 72, 84), (5, 72, 5), (144, 72, 72)])
def test_a_recording_is_thinned_to_about_as_many_frames(total, about, taken):
    frame = RGBDFrame(0, np.zeros((4, 8, 3), np.uint8), np.ones((4, 8), np.float32), Camera(8, 4, 5.0, 5.0, 3.5, 1.5), np.eye(4))

    class Recording:
        name, skipped = "recording", 0

        def __len__(self):
            return total

        def __iter__(self):
            return iter([frame] * total)

    whole, narrow = ReducedSource(Recording(), about, None), ReducedSource(Recording(), about, 4)
    assert len(whole) == len(list(whole)) == taken
    assert next(iter(whole)).rgb.shape == (4, 8, 3) and next(iter(narrow)).rgb.shape == (2, 4, 3)
