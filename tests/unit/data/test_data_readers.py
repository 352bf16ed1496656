"""IDX and npz files, and the public sets as they are."""

import bz2
import gzip
import hashlib
import struct

import numpy as np
import pytest

from gapwise.data.base import DATASETS
from gapwise.data.datasets import adult, fashion_mnist, mnist, usps
from gapwise.data.datasets.idx import idx
from gapwise.data.datasets.npz import npz
from gapwise.errors import DataError


def write_idx(path, array, code=0x08, compressed=True):
    raw = struct.pack(">BBBB", 0, 0, code, array.ndim) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    raw += array.tobytes()
    path.write_bytes(gzip.compress(raw) if compressed else raw)


@pytest.mark.parametrize("compressed", [True, False])
def test_idx_files_are_read(context, compressed):
    images = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    write_idx(context.root / "i.idx", images, compressed=compressed)
    write_idx(context.root / "l.idx", np.array([0, 1, 2, 1, 0], dtype=np.uint8))
    found = idx(context, images="i.idx", labels="l.idx", classes=["a", "b", "c"])
    assert np.array_equal(found.inputs[:, 0], images)
    assert found.targets.tolist() == [0, 1, 2, 1, 0]
    assert found.ids.tolist() == [f"i/{k}" for k in range(5)]
    assert len(found.snapshot) == 2


def test_damaged_idx_files_are_named(context):
    write_idx(context.root / "l.idx", np.zeros(5, dtype=np.uint8))
    whole = (context.root / "l.idx").read_bytes()
    cases = {
        "cannot be unpacked": whole[:-9],
        "is no IDX file": b"hello",
        "where its header promises": gzip.decompress(whole)[:-1],
        "ends inside its header": b"\0\0\x08\x03\0\0",
    }
    for message, content in cases.items():
        (context.root / "bad.idx").write_bytes(content)
        with pytest.raises(DataError, match=message):
            idx(context, images="bad.idx", labels="l.idx")
    with pytest.raises(DataError, match="there is no"):
        idx(context, images="none.idx", labels="l.idx")


@pytest.mark.parametrize("labels", [[0, 1, 3], [0, 1, -1], [0.0, 1.0, 2.0]])
def test_l3_stored_labels_out_of_range_or_no_integers_are_refused(context, labels):
    images = np.zeros((3, 2, 2), dtype=np.uint8)
    np.savez(context.root / "a.npz", images=images, labels=np.array(labels))
    with pytest.raises(DataError, match=r"a\.npz: label"):
        npz(context, path="a.npz", classes=["a", "b", "c"])


def test_npz_parts_are_sources(context):
    random = np.random.default_rng(0)
    for name, count in (("one", 3), ("two", 4)):
        images = random.integers(0, 256, (count, 6, 5, 3), dtype=np.uint8)
        np.savez(context.root / f"{name}.npz", images=images, labels=np.arange(count) % 2)
    found = npz(context, path=["one.npz", "two.npz"])
    assert found.inputs.shape == (7, 3, 6, 5)
    assert found.sources.tolist() == ["one"] * 3 + ["two"] * 4
    assert found.ids[3] == "two/0"


def test_npz_rows_and_errors(context):
    np.savez(context.root / "r.npz", x=np.ones((4, 3)), labels=np.zeros(4, int))
    assert npz(context, path="r.npz", inputs="x").feature_names == tuple(
        f"feature {i}" for i in range(3)
    )
    with pytest.raises(DataError, match="no array 'images'; did you mean labels"):
        npz(context, path="r.npz")
    (context.root / "bad.npz").write_bytes(b"PK\3\4 no")
    with pytest.raises(DataError, match=r"bad\.npz is no npz file"):
        npz(context, path="bad.npz")
    np.savez(context.root / "p.npz", images=np.array([{}], dtype=object), labels=np.zeros(1, int))
    with pytest.raises(DataError, match="is no npz file that can be read"):
        npz(context, path="p.npz")
    np.savez(context.root / "s.npz", images=np.zeros((4, 3, 3)), labels=np.zeros(4, int))
    with pytest.raises(DataError, match=r"inputs are float64 of shape \(4, 3, 3\)"):
        npz(context, path="s.npz")
    np.savez(context.root / "n.npz", images=np.zeros((4, 3)), labels=np.zeros(3, int))
    with pytest.raises(DataError, match="one label an input"):
        npz(context, path="n.npz")


def test_fashion_mnist_is_the_official_one(data_folder):
    for _, images, labels in fashion_mnist.PARTS:
        for file in (images, labels):
            content = (data_folder / "fashion-mnist" / file.name).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256)


def test_adult_is_the_official_one(data_folder):
    for part, lead in (("train", b""), ("test", b"|1x3 Cross validator\n")):
        content = lead + (data_folder / "adult" / f"adult-{part}.csv").read_bytes()
        remote = adult.REMOTES[part]
        assert (len(content), hashlib.sha256(content).hexdigest()) == (remote.size, remote.sha256)


def test_adult_labels_numbers_and_the_rows_in_both_parts(real_context):
    found = DATASETS.get("adult")(real_context)
    assert found.classes == ("<=50K", ">50K")
    assert np.bincount(found.targets).tolist() == [37_155, 11_687]
    part = found.metadata["official_part"]
    rows = [(r.tobytes(), int(t)) for r, t in zip(found.inputs, found.targets, strict=True)]
    trained = {row for row, p in zip(rows, part, strict=True) if p == "train"}
    both = [row in trained for row, p in zip(rows, part, strict=True) if p == "test"]
    assert sum(both) == 23
    assert "workclass=missing" in found.feature_names


def test_mnist_has_the_known_counts(real_context):
    found = mnist.mnist(real_context)
    assert found.inputs.shape == (70_000, 1, 28, 28)
    first = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(found.targets[:60_000]).tolist() == first


def test_usps_is_pooled_scaled_and_centred(real_context):
    found = usps.usps(real_context)
    assert found.inputs.shape == (9_298, 1, 28, 28)
    assert np.bincount(found.metadata["official_part"] == "train").tolist() == [2_007, 7_291]
    assert not found.inputs[:, :, :4].any()
    assert not found.inputs[:, :, :, -4:].any()
    assert found.inputs[:, :, 4:-4, 4:-4].max() == 255


def test_usps_scaling_keeps_a_constant_and_a_ramp():
    ramp = np.tile((np.arange(16) + 0.5) / 16, (1, 16, 1))
    scaled = usps.centred(ramp)[0, 0, 10, 4:-4] / 255
    assert scaled[1:-1] == pytest.approx((np.arange(20) + 0.5)[1:-1] / 20, abs=0.003)
    assert set(usps.centred(np.ones((1, 16, 16)))[0, 0, 4:-4, 4:-4].ravel()) == {255}


def test_usps_in_libsvms_form_gives_the_same_as_h5(real_context, context, monkeypatch, tmp_path):
    import h5py

    lines = {}
    with h5py.File(real_context.settings.data / "usps" / "usps.h5") as file:
        for part in ("train", "test"):
            pixels = file[part]["data"][:50].astype(float) * 2 - 1
            labels = file[part]["target"][:50] + 1
            lines[part] = [
                " ".join([str(label), *(f"{i + 1}:{v:.6f}" for i, v in enumerate(row) if v > -1)])
                for label, row in zip(labels, pixels, strict=True)
            ]
    folder = tmp_path / "data" / "usps"
    folder.mkdir(parents=True)
    for part, name in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        (folder / name).write_bytes(bz2.compress("\n".join(lines[part]).encode()))
    from dataclasses import replace

    settings = replace(context.settings, data=tmp_path / "data")
    found = usps.usps(replace(context, settings=settings))
    whole = usps.usps(real_context)
    assert np.array_equal(found.targets[:50], whole.targets[:50])
    assert np.abs(found.inputs[:50].astype(int) - whole.inputs[:50]).max() <= 1
    assert np.array_equal(found.targets[50:], whole.targets[7291:7341])


def test_mnist_to_usps_keeps_both_sources(real_context):
    found = DATASETS.get("mnist-to-usps")(real_context)
    names, counts = np.unique(found.sources, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "mnist": 70_000,
        "usps": 9_298,
    }
    assert any("pooled" in note for note in found.notes)
