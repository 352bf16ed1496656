"""Manifests: what is read, and what is refused with its row."""

import os
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapwise.data.checks import check_quarantine
from gapwise.data.datasets.manifest import manifest
from gapwise.data.safe_path import refusal
from gapwise.errors import DataError


def written(context, text, name="m.csv"):
    path = context.root / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


FEATURES = "id,age,colour,label\na,1.5,red,yes\nb,-2e1,blue,no\nc,.5,red,yes\n"


def test_features_become_numbers_and_categories(context):
    found = manifest(context, path=written(context, FEATURES))
    assert found.feature_names == ("age", "colour=blue", "colour=red")
    assert found.inputs.tolist() == [[1.5, 0, 1], [-20, 1, 0], [0.5, 0, 1]]
    assert found.classes == ("no", "yes")
    assert found.targets.tolist() == [1, 0, 1]
    assert found.ids.tolist() == ["a", "b", "c"]
    assert list(found.snapshot) == [str((context.root / "m.csv").resolve())]


def test_parquet_gives_what_csv_gives(context):
    table = pd.read_csv(context.root / written(context, FEATURES))
    table.to_parquet(context.root / "m.parquet")
    one, other = manifest(context, path="m.csv"), manifest(context, path="m.parquet")
    assert np.array_equal(one.inputs, other.inputs)
    assert one.feature_names == other.feature_names
    assert np.array_equal(one.targets, other.targets)


def test_missing_values_are_filled_and_told(context):
    text = "age,colour,label\n1,red,0\n,,1\n5,blue,0\n3,red,1\n"
    found = manifest(context, path=written(context, text))
    names = ("age", "age missing", "colour=blue", "colour=missing", "colour=red")
    assert found.feature_names == names
    assert found.inputs[1].tolist() == [3, 1, 0, 1, 0]
    assert any("1 missing numbers" in note for note in found.notes)
    assert any("1 missing categories" in note for note in found.notes)


def test_roles_metadata_and_unlabelled_rows(context):
    text = (
        "key,x,kind,person,importance,annotator,label\n"
        "a,1,s,p1,2,ann,u\nb,2,t,,1,bob,v\nc,3,t,p1,1,ann,\n"
    )
    found = manifest(
        context,
        path=written(context, text),
        columns={"id": "key", "source": "kind", "group": "person", "weight": "importance"},
    )
    assert found.sources.tolist() == ["s", "t"]
    assert found.groups.tolist() == ["p1", "~b"]
    assert found.weights.tolist() == [2, 1]
    assert found.metadata["annotator"].tolist() == ["ann", "bob"]
    assert found.feature_names == ("x",)
    assert [(q.item, q.code) for q in found.quarantine] == [("c", "no-label")]


def test_pictures_of_a_manifest_with_further_columns(context, pictures):
    pictures(6)
    rows = [f"cat/{i:03d}.png,cat,{i}" for i in (1, 3, 5)] + ["dog/000.png,dog,9"]
    text = "image,label,light\n" + "\n".join(rows) + "\n"
    found = manifest(context, path=written(context, text), root="pictures")
    assert found.inputs.shape == (4, 3, 10, 12)
    assert found.ids.tolist() == found.media.tolist()
    assert found.metadata["light"].tolist() == ["1", "3", "5", "9"]


@pytest.mark.parametrize("text", [None, "", "\n", "id,image,label\n", "﻿id,image,label\r\n"])
def test_d1_missing_empty_or_header_only_shows_the_columns_wanted(context, text):
    path = "none.csv" if text is None else written(context, text)
    with pytest.raises(DataError, match=r"\.csv.*id,image,label"):
        manifest(context, path=path)


def test_d2_files_not_found_are_counted(context, make_picture):
    for index in range(200):
        make_picture(context.root / f"{index}.png", seed=index % 7, size=(6, 6))
    rows = "".join(f"{i}.png,{i % 2}\n" for i in range(200))
    path = written(context, "image,label\n" + rows)
    for index in range(5):
        (context.root / f"{index * 30}.png").unlink()
    found = manifest(context, path=path)
    assert len(found) == 195
    assert [(q.item, q.code) for q in found.quarantine] == [
        (f"{i * 30}.png", "not-found") for i in range(5)
    ]
    assert "120.png" not in found.ids


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text("abc", min_size=1, max_size=2), min_size=2, max_size=12))
def test_d3_l5_duplicate_id_stops_with_both_rows(context, names):
    text = "id,x,label\n" + "".join(f"{name},{i},{i % 2}\n" for i, name in enumerate(names))
    path = written(context, text)
    if len(set(names)) == len(names):
        assert manifest(context, path=path).ids.tolist() == names
        return
    second = next(i for i, name in enumerate(names) if name in names[:i])
    first = names.index(names[second])
    with pytest.raises(DataError, match=rf":{second + 2}:.*:{first + 2};"):
        manifest(context, path=path)


SPELLINGS = [
    *("../x", "a/../../x", "/etc/passwd", "~/x", "~root/x", "..", "a/..", "./../x"),
    *("..\\x", "a\\..\\..\\x", "\\\\host\\share\\x", "//host/share/x", "C:\\x", "c:/x", "C:x"),
    *("%2e%2e/x", "%2E%2E%2Fx", "a/%2e%2e/%2e%2e/x", "%252e%252e/x", "%2fetc/passwd", "..%2fx"),
    *("..%5cx", "%5c%5chost%5cx", "%7e/x", "x\0.png", "x%00.png", "", " ", "\t", "...//../x"),
    *("a/b/../../../x", "/../x", "\\x", "\\..\\x", "/", "~", "%2e%2e", "%252fetc", "file/../../x"),
    *("/proc/self/environ", "/dev/zero", "link/passwd", "loop/x", "z:\\", "\\\\?\\C:\\x"),
    *("\\\\.\\pipe\\x", "//", "./..", "a/./../../x", "..//x", "../", "a//../../x", "%2e%2e%5cx"),
    *("%255c..%255cx", "~x", "%2e./x", ".%2e/x", "/%2e%2e/x", "a/%2e%2e/..", "up.png", "here/.."),
]
opened: list[str] = []
watching = [False]


def _watch(event, arguments):
    if watching[0] and event == "open" and isinstance(arguments[0], str | bytes):
        opened.append(os.fsdecode(arguments[0]))


@pytest.fixture(scope="module")
def audit():
    sys.addaudithook(_watch)


@pytest.mark.usefixtures("audit")
def test_d5_d6_paths_outside_the_root_are_refused_and_never_opened(context, make_picture):
    root = context.root / "data"
    make_picture(root / "good.png")
    secret = make_picture(context.root / "x.png")
    (root / "link").symlink_to("/etc")
    (root / "up.png").symlink_to(secret)
    (root / "loop").symlink_to(root / "loop")
    table = pd.DataFrame({"image": ["good.png", *SPELLINGS], "label": "c"})
    table["id"] = [str(i) for i in range(len(table))]
    assert len(SPELLINGS) >= 60
    table.to_parquet(root / "m.parquet")
    opened.clear()
    watching[0] = True
    try:
        found = manifest(context, path="data/m.parquet")
    finally:
        watching[0] = False
    assert found.ids.tolist() == ["0"]
    assert len(found.quarantine) == len(SPELLINGS)
    outside = [q for q in found.quarantine if "outside data root" in q.reason]
    assert len(outside) >= len(SPELLINGS) - 2
    cache = str(context.settings.cache)
    ours = [name for name in opened if name.startswith(str(context.root))]
    assert ours
    assert [n for n in ours if not n.startswith((str(root), cache))] == []
    assert [n for n in opened if n.startswith(("/etc", "/dev/zero", "/proc/self/environ"))] == []


def test_d6_pipes_are_refused_without_hanging(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert refusal(tmp_path.resolve(), "pipe.png") == ("no-file", "not a regular file")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('id,x,label\na,1,0\nb,"2,1\nc,3,0\n', r"m\.csv:3: this row cannot be read"),
        ("id,x,label\na," + "9" * (2**20 + 1) + ",1\n", r"m\.csv:2: .*field"),
        ("id,x,label\na,1\n", r"m\.csv:2: 2 cells where the header names 3"),
        ("id,x,label\na,1,5,1\n", r"m\.csv:2: 4 cells where the header names 3"),
        (",".join(f"c{i}" for i in range(20_001)) + "\n", r"20,001 columns are more than 20,000"),
        ("id,id,label\na,b,c\n", r"column id stands twice"),
    ],
)
def test_d8_broken_csv_stops_at_its_row(context, text, message):
    with pytest.raises(DataError, match=message):
        manifest(context, path=written(context, text))


def test_d8_ten_thousand_columns_are_read(context):
    names = [f"c{i}" for i in range(10_000)]
    text = ",".join([*names, "label"]) + "\n" + ",".join(["1"] * 10_001) + "\n"
    found = manifest(context, path=written(context, text + text.split("\n")[1] + "\n"))
    assert found.inputs.shape == (2, 10_000)


@pytest.mark.parametrize(
    "cell", ["1,5", "nan", "inf", "-inf", "1e400", "١٢", "0x10", "1_000", "NaN"]
)
def test_d9_a_number_that_is_none_names_column_and_row(context, cell):
    text = f'id,age,label\na,1,0\nb,"{cell}",1\nc,2,1\n'
    with pytest.raises(DataError, match=r"m\.csv:3: column age holds"):
        manifest(context, path=written(context, text))


def test_d9_holds_for_parquet_too(context):
    table = pd.DataFrame({"age": [1.0, np.inf, 2.0], "label": ["a", "b", "a"]})
    table.to_parquet(context.root / "m.parquet")
    with pytest.raises(DataError, match=r"m\.parquet:2: column age holds inf"):
        manifest(context, path="m.parquet")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(-(2.0**90), 2.0**90, width=32), min_size=2, max_size=20))
def test_d9_every_plain_number_is_read(context, values):
    text = "age,label\n" + "".join(f"{v!r},{i % 2}\n" for i, v in enumerate(values))
    found = manifest(context, path=written(context, text), categorical=[])
    assert found.inputs[:, 0].tolist() == np.array(values, np.float32).tolist()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_d7_byte_order_mark_and_line_ends_are_read(context, end):
    text = "\ufeff" + FEATURES.replace("\n", end)
    assert manifest(context, path=written(context, text)).ids.tolist() == ["a", "b", "c"]


def test_d7_another_encoding_names_the_byte(context):
    with pytest.raises(DataError, match=r"not UTF-8: byte 20,008 is 0xe9"):
        manifest(context, path=written(context, b"x,label\n" + b"1,a\n" * 5000 + b"\xe9,b\n"))


def test_l1_unknown_class_names_the_nearest(context):
    text = "x,label\n1,cat\n2,dgo\n"
    with pytest.raises(DataError, match=r"m\.csv:3: label dgo .*nearest are dog"):
        manifest(context, path=written(context, text), classes=["cat", "dog", "horse"])


@pytest.mark.parametrize("label", ["-1", "3", "1.0", "1e0", "+1", "01", " 7"])
def test_l3_label_numbers_out_of_range_name_the_row(context, label):
    text = f"x,label\n1,0\n2,{label}\n3,2\n"
    with pytest.raises(DataError, match=r"m\.csv:3: label"):
        manifest(context, path=written(context, text), classes=["a", "b", "c"])


def test_l3_positions_stand_for_classes(context):
    text = "x,label\n1,0\n2,2\n3,b\n"
    found = manifest(context, path=written(context, text), classes=["a", "b", "c"])
    assert found.targets.tolist() == [0, 2, 1]


def test_l3_a_float_among_whole_numbers_names_the_row(context):
    with pytest.raises(DataError, match=r"m\.csv:4: label 1\.0"):
        manifest(context, path=written(context, "x,label\n1,0\n2,1\n3,1.0\n"))


def test_whole_numbers_are_classes_in_their_own_order(context):
    found = manifest(context, path=written(context, "x,label\n1,10\n2,9\n3,0\n"))
    assert found.classes == ("0", "9", "10")


def test_too_many_bad_rows_stop():
    from gapwise.records import Quarantined

    def bad(count):
        return [Quarantined(item=f"{i}", code="truncated", reason="cut") for i in range(count)]

    check_quarantine(bad(100), 500, None, "d")
    check_quarantine(bad(300), 29_700, None, "d")
    check_quarantine(bad(5), 95, 0.05, "d")
    with pytest.raises(DataError, match=r"101 of 601 .*100 allowed.*101 of them for truncated"):
        check_quarantine(bad(101), 500, None, "d")
    with pytest.raises(DataError, match="301 of 30000"):
        check_quarantine(bad(301), 29_699, None, "d")
    with pytest.raises(DataError, match="6 of 100"):
        check_quarantine(bad(6), 94, 0.05, "d")
    with pytest.raises(DataError, match="2 of 10"):
        check_quarantine(bad(2), 8, 1, "d")


def test_a_name_with_many_values_is_no_category(context):
    rows = "".join(f"name {i},{i},{i % 2}\n" for i in range(300))
    with pytest.raises(DataError, match="300 different values"):
        manifest(context, path=written(context, "name,x,label\n" + rows))


def test_unknown_columns_and_roles_name_the_nearest(context):
    path = written(context, FEATURES)
    with pytest.raises(DataError, match="did you mean colour"):
        manifest(context, path=path, features=["color"])
    with pytest.raises(DataError, match="did you mean label"):
        manifest(context, path=path, columns={"lable": "colour"})
    with pytest.raises(DataError, match="no column truth"):
        manifest(context, path=path, columns={"label": "truth"})
