"""Sizes, shapes and colours of things, and how well they fit concepts."""

from __future__ import annotations

import numpy as np
import pytest
from fake import BANK, concept

from magic3d_ros.language.concepts.attributes import attribute_fit
from magic3d_ros.language.concepts.bank import SHAPES, ConceptBank
from magic3d_ros.language.concepts.colours import COLOURS, colour_names, colour_shares
from magic3d_ros.language.concepts.evidence import as_asked, colour_fit, recognised, structure_chances
from magic3d_ros.language.concepts.form import Forms, form_fit, form_terms, forms


@pytest.mark.parametrize(("size", "shape"), [
    ((1.0, 0.05, 0.7), "V"),  # a picture on the wall
    ((0.02, 0.5, 0.5), "V"),
    ((1.5, 2.0, 0.02), "H"),  # a rug
    ((0.3, 0.3, 1.7), "T"),  # a floor lamp
    ((0.5, 0.5, 0.5), "B"),
    ((2.0, 0.45, 0.3), "")])  # neither: a beam, too thin for a block
def test_shapes(size, shape):
    got = forms(np.array([size]), np.array([0.5]))
    assert got.shape[0] == (SHAPES.index(shape) if shape else -1)
    assert got.length[0] == max(size)


def test_form_fits_within_the_usual_range_and_falls_off_outside():
    bank = ConceptBank((concept("mug", "mug", (0.05, 0.2), (0.0, 1.0), "B"),))
    things = Forms(np.array([0.1, 0.2 * np.exp(0.35), 0.1, 0.02, 9.0]), np.array([0.5, 0.5, 1.2, 0.5, 0.5]),
                   np.array([2, 2, 2, 2, 0]))
    too_short = 0.5 * (np.log(0.05 / 0.02) / 0.35) ** 2
    # one tolerance too long; one too high; too short; far too long costs the cap, and another shape
    np.testing.assert_allclose(form_terms(bank, things)[:, 0], [
        [0, 0, 0, 0], [-0.5, 0, 0, 0], [0, 0, -0.5, 0], [0, -too_short, 0, 0], [-8, 0, 0, -1]], atol=1e-9)
    np.testing.assert_allclose(form_fit(bank, things)[:, 0], [0, -0.85, -0.375, -0.1 * too_short, -14.55], atol=1e-9)


@pytest.mark.parametrize(("rgb", "name"), [
    ((0, 0, 0), "black"), ((250, 250, 250), "white"), ((128, 128, 128), "grey"), ((220, 20, 20), "red"),
    ((240, 140, 10), "orange"), ((230, 220, 30), "yellow"),
    ((30, 160, 40), "green"), ((30, 60, 200), "blue"), ((120, 30, 180), "purple"),
    ((240, 110, 190), "pink"), ((110, 70, 35), "brown"), ((190, 150, 110), "brown")])
def test_colours_have_their_names(rgb, name):
    assert COLOURS[colour_names(np.array([rgb], np.uint8))[0]] == name


def test_shares_of_colours():
    rgb = np.array([[220, 20, 20], [220, 20, 20], [0, 0, 0], [30, 60, 200]], np.uint8)
    shares = colour_shares(rgb, np.array([0, 0, 0, -1]), 2)
    assert shares[0, COLOURS.index("red")] == pytest.approx(2 / 3) and shares[0, COLOURS.index("black")] == pytest.approx(1 / 3)
    np.testing.assert_allclose(shares[1], 1 / 11)


def test_unusual_colours_cost():
    bank = ConceptBank((concept("plant", "mug", (0.1, 1), (0, 1), "B", colours=("green",)),
                        concept("mug", "mug", (0.1, 1), (0, 1), "B")))
    green, red = np.eye(11)[[COLOURS.index("green"), COLOURS.index("red")]]
    fit = colour_fit(bank, np.stack([green, red]))
    np.testing.assert_allclose(fit[:, 0], [0.6 * np.log(1.1 / 0.6), 0.6 * np.log(0.1 / 0.6)])
    np.testing.assert_allclose(fit[:, 1], 0.6 * np.log(1.1 / 0.6))


def things(count):
    return forms(np.full((count, 3), 0.8), np.full(count, 0.4)), np.full((count, 11), 1 / 11)


def test_pictures_decide_between_what_the_form_allows():
    looks = np.zeros((2, len(BANK)))
    looks[0, BANK.row_of["chair"]] = looks[1, BANK.row_of["mug"]] = 3.0
    chances = recognised(BANK, looks, *things(2), np.zeros(2), np.zeros(2))
    np.testing.assert_allclose(chances.sum(1), 1)
    assert chances[0].argmax() == BANK.row_of["chair"] and chances[1, BANK.row_of["mug"]] < 0.1  # .8 m is no mug
    assert chances[:, [BANK.row_of["floor"], BANK.row_of["wall"]]].max() < 1e-9


def test_what_is_asked_for_counts_as_common_unless_it_is_never_indoors():
    bank = ConceptBank(tuple(concept(kind, "mug", (0.1, 1), (0, 1), "B", frequency=kind)
                             for kind in ("common", "rare", "elsewhere")))
    asked = as_asked(bank, np.array([[0.5, 0.1, 0.1]]))
    more = 0.1 * np.exp(3.7)
    np.testing.assert_allclose(asked, [[0.5, more / (0.9 + more), 0.1]])


def test_level_surfaces_are_tables_and_floors():
    chances = recognised(BANK, np.zeros((3, len(BANK))), *things(3), np.array([1.0, 0.0, 0.5]), np.array([0.0, 1.0, 0.0]))
    plain = recognised(BANK, np.zeros((3, len(BANK))), *things(3), np.zeros(3), np.zeros(3))
    tables = [BANK.row_of["table"], BANK.row_of["workbench"]]
    assert chances[0, tables].sum() == pytest.approx(0.9 + 0.1 * plain[0, tables].sum())
    assert chances[1, BANK.row_of["floor"]] == pytest.approx(0.7)
    assert chances[2, tables].sum() == pytest.approx(0.45 + 0.55 * plain[2, tables].sum())


def test_structure_is_what_geometry_says():
    chances = structure_chances(BANK, "floor")
    assert chances.sum() == pytest.approx(1) and chances[BANK.row_of["floor"]] == 0.9


def test_words_for_colour_and_size_are_checked():
    colours = np.eye(11)[[COLOURS.index("red"), COLOURS.index("blue")]]
    fit = attribute_fit("the RED mug", colours, np.array([0.1, 0.1]))
    np.testing.assert_allclose(fit, [0.0, np.log(0.25)])
    lengths = np.array([0.1, 0.1, 1.0])
    small, large = (attribute_fit(f"a {word} thing", np.full((3, 11), 1 / 11), lengths) for word in ("small", "large"))
    assert small[0] == 0.0 and small[2] < -1 and large[2] == 0.0
    assert not attribute_fit("a thing", colours, lengths[:2]).any()
