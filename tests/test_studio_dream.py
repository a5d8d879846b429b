"""The page Dream without a browser: playing, the first difference, maps as text and as pictures."""

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from sandbox.core.errors import UsageError
from sandbox.engine.registry import find
from sandbox.studio.backend.dream import Played, place_of, weights
from sandbox.studio.backend.painted import read_picture
from sandbox.studio.components.dream import _pressed
from sandbox.studio.pages.dream import painted

CRAFT = find("craft")
TEXT, PLANT = CRAFT.frames.example.strip("\n"), CRAFT.frames.tokens.index("plant")
NAMES = {"T": "tree", ".": "grass", "~": "water", "@": "gatherer", ":": "sand", "#": "stone", "c": "coal", "t": "table",
         "i": "iron"}  # fmt: skip


@pytest.fixture(scope="module")
def dream():
    return weights()


@pytest.fixture
def played(dream) -> Played:
    return Played(TEXT, dream)


def press(played: Played, *verbs: str) -> None:
    for verb in verbs:
        played.press(played.keys[verb])


def test_a_drawn_map_is_walked_in_the_dream_as_in_the_kernel(played):
    press(played, "move_left", "move_left", "move_up", "move_right")
    assert played.now.difference is None
    assert place_of(played.now.dream) == tuple(played.now.state.pos[0, 0]) == (3, 6)
    dreamt, true = played.pictures()
    np.testing.assert_array_equal(dreamt, true)
    played.back()
    assert place_of(played.now.dream) == (3, 5)
    garden = Played(TEXT.replace("c", "P"), played.dream)
    assert garden.now.dream.cells.max() == PLANT and garden.pictures()[0].tolist() == garden.pictures()[1].tolist()
    played.restart()
    assert not played.codes and place_of(played.now.dream) == (4, 7)


def test_the_first_difference_is_told_and_stays(dream):
    """The dream has no inventory: it digs stone with bare hands."""
    played = Played(TEXT.replace("@", ".").replace("T..##.....:", "T..@#.....:"), dream)
    press(played, "move_right", "do")
    found = played.now.difference
    assert found.step == 2 and found.cells[0] == (6, 4)
    assert found.words.startswith("at row 6, column 4 the dream has path, the kernel stone")
    assert (played.pictures()[0] != played.pictures()[1]).any()
    press(played, "move_up")
    assert played.now.difference == found
    with pytest.raises(UsageError, match="code 9, expected 1 to 8"):
        played.press(8)


@pytest.mark.parametrize("change, told", [
    (lambda text: text.replace("c", "x"), "line 9, column 5: 'x' is not a cell"),
    (lambda text: text.replace("c", "@"), "2 players (@); expected one"),
    (lambda text: text.replace("c", "Z"), "Z at line 9, column 5: creatures are not dreamed"),
    (lambda text: "\n".join(3 * row for row in text.replace("@", ".").splitlines()), "a map of 12 x 42 cells"),
    (lambda text: "TTT\nT@T\nTTT", "a map of 3 x 3; expected 12 to 128"),
])  # fmt: skip
def test_impossible_maps_are_told_in_one_line(dream, change, told):
    with pytest.raises(UsageError) as error:
        Played(change(TEXT), dream)
    assert told in str(error.value) and "\n" not in str(error.value)


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def flat(size: int) -> np.ndarray:
    """The map in the legend's flat colours, as a person paints it."""
    colours = dict(CRAFT.legend)
    inks = {symbol: [int(colours[name][k : k + 2], 16) for k in (1, 3, 5)] for symbol, name in NAMES.items()}
    rows = np.array([[inks[symbol] for symbol in row] for row in TEXT.splitlines()], np.uint8)
    return rows.repeat(size, 0).repeat(size, 1)


@pytest.mark.parametrize("size", [8, 24, 40])
def test_a_picture_is_read_back(played, size):
    picture = played.env.render(played.env.reset([0]), size=14 * size)
    assert read_picture(CRAFT, "map.png", png(picture)) == TEXT + "\n"
    assert read_picture(CRAFT, "flat.png", png(flat(size))) == TEXT + "\n"


def test_plants_are_read_as_they_are_painted(dream):
    garden = TEXT.replace("c", "P")
    assert read_picture(CRAFT, "garden.png", png(Played(garden, dream).pictures()[0])) == garden + "\n"


def test_unreadable_pictures_are_told_in_one_line():
    strange = flat(10)
    strange[30:40, 50:60] = 255, 0, 255
    cases = {
        b"GIF89a": "no PNG that can be read",
        png(np.zeros((7, 90, 3), np.uint8)): "90 x 7 pixels are not 12 to 40 cells",
        png(strange): "row 4, column 6 is like none of craft's",
    }  # fmt: skip
    for content, told in cases.items():
        with pytest.raises(UsageError) as error:
            read_picture(CRAFT, "mine.png", content)
        assert str(error.value).startswith("mine.png: ") and told in str(error.value) and "\n" not in str(error.value)


def test_painting_moves_the_player_and_stays_on_the_map():
    text = painted(CRAFT.frames, TEXT, "@", ((1, 1), (2, 5), (99, 0)))
    assert (
        text.count("@") == 1 and text.splitlines()[2][5] == "@" and painted(CRAFT.frames, TEXT, "@", ((99, 0),)) == TEXT
    )
    assert painted(CRAFT.frames, TEXT, "~", ((1, 1), (1, 99))).splitlines()[1][1] == "~"


def test_only_keys_of_the_page_are_taken():
    told = {"key": "7"}, {"key": "back"}, {"key": "8"}, {"key": ["7"]}, None, "back"
    assert [_pressed(each, 8) for each in told] == ["7", "back", "", "", "", ""]


def test_the_page_takes_a_map_as_text_and_tells_what_is_wrong_with_it():
    def script():
        from sandbox.studio.pages.dream import page

        page()

    page = AppTest.from_function(script, default_timeout=120).run()
    assert not page.exception
    page.segmented_control(key="dream_way").set_value("Text").run()
    page.text_area(key="dream_text").set_value("TTT").run()
    assert not page.exception and "expected 12 to 128" in page.warning[0].value.replace("\\", "")
    page.text_area(key="dream_text").set_value(TEXT.replace("c", "d")).run()
    assert not page.exception and not page.warning and "d" in page.text_area(key="dream_text").value
