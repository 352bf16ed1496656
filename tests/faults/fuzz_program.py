"""One reader of files fuzzed under coverage, as a program of its own: libFuzzer ends its process.

    python fuzz_program.py READER CORPUS [libFuzzer's options, as -max_total_time=60]

Whatever bytes are read, the answer is a value or an error of Gapwise's own.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import atheris  # type: ignore[import-not-found]  # no wheel of it on every machine: not required

with atheris.instrument_imports(include=["gapwise", "ruamel", "csv", "json"]):
    from gapwise import pipeline_file
    from gapwise.data.idx_file import read_idx
    from gapwise.data.table import read_table
    from gapwise.errors import GapwiseError
    from gapwise.tracking import spool
    from gapwise.workflows import foreign, foreign_table, label_studio, label_table

KNOWN = label_table.Known(dataset="d", given={"a": "b"}, author="ann", source="a file")


def pipeline(path: Path) -> None:
    pipeline_file.load(str(path))


def predictions(path: Path) -> None:
    frame = foreign_table.read_table(path)
    foreign.by_split(frame, foreign_table.stated_classes(path), path.name)


def labels(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    label_table.entries(label_table.from_csv(text), KNOWN)


def studio(path: Path) -> None:
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return  # its caller says so
    label_table.entries(label_studio.rows_of(document), KNOWN)


def points(path: Path) -> None:
    spool.last_values(path)
    spool.history(path, "loss")


def manifest(path: Path) -> None:
    table = read_table(path)
    for name in table.columns:
        table.text(name)
        if table.is_numeric(name):
            table.numbers(name)


def idx(path: Path) -> None:
    read_idx(path)


READERS: dict[str, tuple[Callable[[Path], None], str, bytes]] = {
    "pipeline": (pipeline, "a.yaml", pipeline_file.find("digits").read_bytes()),
    "predictions": (
        predictions,
        "a.csv",
        b"split,example_id,target,predicted,error,weight\ndev,1,a,b,1,1\ntrain,2,b,b,0,1\n",
    ),
    "labels": (labels, "a.csv", b"kind,example_id,label,given,text\nlabel,a,b,c,\ncomment,a,,,x\n"),
    "studio": (
        studio,
        "a.json",
        b'[{"id":1,"data":{"example_id":"a","given":"b"},"annotations":[{"result":'
        b'[{"type":"choices","value":{"choices":["b"]}}]}]}]',
    ),
    "points": (points, "a.jsonl", b'{"step":1,"ms":2,"metrics":{"loss":0.5,"odd":"nan"}}\n' * 2),
    "manifest": (manifest, "a.csv", b"image,label,weight\na.png,cat,1.5\nb.png,dog,\n"),
    "idx": (idx, "a.idx", b"\0\0\x08\x02\0\0\0\x02\0\0\0\x02abcd"),
}


def main() -> None:
    reader, name, seed = READERS[sys.argv.pop(1)]
    corpus = Path(sys.argv[1])
    corpus.mkdir(exist_ok=True)
    (corpus / "seed").write_bytes(seed)
    path = corpus.parent / name

    def once(data: bytes) -> None:
        path.write_bytes(data)
        try:
            reader(path)
        except GapwiseError as error:
            if not str(error).isprintable():
                raise ValueError("no sentence for a terminal") from error

    atheris.Setup(sys.argv, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
