"""The training text: documents in groups, by how hard they are to read.

    simple    pages written for small children, and the TinyStories sample
    tales     fairy tales, folk tales, fables, children's stories
    novels    children's novels and easy classics
"""
import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

END = "<|endoftext|>"
PICTURE_BOOKS = {"African Storybook", "Pratham Books / StoryWeaver"}

# UTF-8 punctuation that was once read as Windows-1252, in the TinyStories sample; plain ASCII everywhere else.
REPAIRS = {"\u00e2\u20ac\u0153": '"', "\u00e2\u20ac\u009d": '"', "\u00e2\u20ac\u2122": "'", "\u00e2\u20ac\u02dc": "'",
           "\u00e2\u20ac\u201d": "--", "\u00e2\u20ac\u201c": "--", "\u00e2\u20ac\u00a6": "...", "\u00e2\u20ac": '"'}


def repair(text: str) -> str:
    for wrong, right in REPAIRS.items():
        text = text.replace(wrong, right)
    return text


@dataclass
class Document:
    text: str
    title: str = ""  # empty where the source gives none
    book: str = ""


def read_documents(path: Path) -> list[str]:
    """Documents are divided by a line that holds only <|endoftext|>."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [d for d in raw.decode("utf-8").split(f"\n{END}\n") if d.strip()]


def read_groups(corpus: Path) -> dict[str, list[Document]]:
    with gzip.open(corpus / "sources.tsv.gz", "rt", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    stories = read_documents(corpus / "tinystories_sample.txt.gz")
    groups = {"simple": [Document(repair(s), book="TinyStories") for s in stories], "tales": [], "novels": []}
    for name in ("train-00.txt", "train-01.txt"):
        texts = read_documents(corpus / f"{name}.gz")
        about = [r for r in rows if r["file"] == name]
        assert len(texts) == len(about), f"{name}: {len(texts)} documents, {len(about)} rows"
        for text, row in zip(texts, about):
            document = Document(text, row["title"], row["book_or_collection"])
            if document.book in PICTURE_BOOKS:
                groups["simple"].append(document)
            elif row["category"] == "short-tales-and-childrens":
                groups["tales"].append(document)
            else:
                groups["novels"].append(document)
    return groups
