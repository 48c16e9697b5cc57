"""Images are paired by name; suffixes are stripped only if necessary."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dgsr.checks import UserError
from dgsr.data.matching import matched, split_by_suffix
from dgsr.data.names import Names
from dgsr.data.sources import FileSource


def pairs(first: Sequence[str], second: Sequence[str]) -> dict[str, str]:
    """Pair files that need not exist."""
    indices = matched(FileSource("first", Names.join(first)), FileSource("second", Names.join(second)))
    return {first[i]: second[j] for i, j in indices}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("_LR4.png", "_HR.png"),
        ("x4.png", ".png"),
        ("-lq.png", "-gt.jpg"),
        ("_x2.png", "_x1.png"),
        ("_sr.png", ".png"),
        ("_out.png", ".jpg"),
        ("_x4out.png", "_HR.png"),
        ("x4_out.png", ".png"),
        ("_LR4_out.png", "_HR.png"),
    ],
)
def test_known_suffixes_are_stripped(first: str, second: str) -> None:
    stems = ("0002", "Canon_001", "in/Canon_001")
    assert pairs([s + first for s in stems], [s + second for s in stems]) == {s + first: s + second for s in stems}


@pytest.mark.parametrize("appended", ["", "_out", "_LR"])
def test_suffixes_that_distinguish_images_are_kept(appended: str) -> None:
    stems = ("tile_x2", "tile_x3", "way_out", "way")
    assert pairs([f"{s}{appended}.png" for s in stems], [f"{s}.png" for s in stems]) == {
        f"{s}{appended}.png": f"{s}.png" for s in stems
    }
    assert pairs(["a_x2_LR.png", "a_x3_LR.png"], ["a_x2_HR.png", "a_x3_HR.png"])["a_x3_LR.png"] == "a_x3_HR.png"


def test_paths_come_before_names() -> None:
    assert pairs(["a/1.png", "b/1.png"], ["a/1.jpg", "b/1.jpg"]) == {"a/1.png": "a/1.jpg", "b/1.png": "b/1.jpg"}
    assert pairs(["x/1_out.png", "x/2_out.png"], ["2.png", "1.png"]) == {
        "x/1_out.png": "1.png",
        "x/2_out.png": "2.png",
    }


def test_the_message_names_only_images_without_a_partner() -> None:
    with pytest.raises(UserError, match=r"got 3 \(1 without a partner\)\. Give each .* in first and second"):
        pairs(["1_out.png", "2_out.png"], ["1.png", "2.png", "3.png"])
    scenes = [f"{scene}/{name}.png" for scene in "abc" for name in "123"]
    with pytest.raises(UserError, match=r"got b/2 \(1 without a partner\)"):
        pairs(scenes, [name for name in scenes if name != "b/2.png"])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["frame_x1.png", "other.png"], ["frame_x2.png", "other.png"]),
        (["box1.png"], ["box2.png"]),
        (["take_out1.png"], ["take_out2.png"]),
        (["d/1.png", "e/2.png"], ["d/2.png", "e/1.png"]),
        (["d/1.png", "2.png"], ["d/2.png", "1.png"]),
    ],
)
def test_suffixes_that_distinguish_images_are_not_stripped(first: list[str], second: list[str]) -> None:
    with pytest.raises(UserError, match="without a partner"):
        pairs(first, second)


@pytest.mark.parametrize("first", [["1.png", "1.jpg"], ["1_x2.png", "1_x3.png"]])
def test_several_of_a_name_are_refused(first: list[str]) -> None:
    with pytest.raises(UserError, match=r"one image of each name, but got several in first\. Keep one of each"):
        pairs(first, ["1.png"])


def test_a_folder_is_split_by_suffix() -> None:
    names = [
        "Canon_001_HR.png",
        "Canon_001_LR4.png",
        "Nikon-002-gt.jpg",
        "Nikon-002-lq.png",
        "in/x2_HQ.png",
        "in/x2_LR.PNG",
    ]
    lq, hq = split_by_suffix(FileSource("folder", Names.join(names)), "data.eval")
    assert list(lq.names) == ["Canon_001_LR4.png", "Nikon-002-lq.png", "in/x2_LR.PNG"]
    assert list(hq.names) == ["Canon_001_HR.png", "Nikon-002-gt.jpg", "in/x2_HQ.png"]
    assert {lq.name(i): hq.name(j) for i, j in matched(lq, hq)} == {
        "Canon_001_LR4.png": "Canon_001_HR.png",
        "Nikon-002-lq.png": "Nikon-002-gt.jpg",
        "in/x2_LR.PNG": "in/x2_HQ.png",
    }


@pytest.mark.parametrize(
    ("names", "got"),
    [
        (["1.png", "2.png"], "0 of the former, 0 of the latter and 2 others 1.png, 2.png"),
        (["1_HR.png", "1_LR.png", "mask.png"], "1 of the former, 1 of the latter and 1 others mask.png"),
        (["1_HR.png", "2_HR.png"], "0 of the former, 2 of the latter and 0 others"),
    ],
)
def test_a_folder_without_pairs_is_refused(names: list[str], got: str) -> None:
    with pytest.raises(UserError, match=rf"got {got}\. Rename them, or name two folders as data\.eval\.lq and "):
        split_by_suffix(FileSource("folder", Names.join(names)), "data.eval")
