"""Where the script of a lesson reads results, and where it writes results, tables and pictures."""

from pathlib import Path

from .records import read_json
from .tables import write_between


class Results:
    """The files of one run of a script. lesson_main() makes it as arguments.results.

    out      the folder for everything that the script writes: the user's, or the lesson's own results/ for --update
    update   whether tables go into the lesson's README
    """

    def __init__(self, own, lesson, out=None, update=False, redraw=False):
        self.own, self.lesson, self.update, self.redraw = Path(own), Path(lesson), update, redraw
        self.out = self.own if update else Path(out)
        self.tables = []

    def read(self, name):
        """Returns the JSON that a report uses, or None if there is none. Only a run that does not measure reports the
        repository's results when the folder has none; otherwise, a report would mix two machines."""
        folders = (self.out, self.own) if self.redraw else (self.out,)
        return next((read_json(folder / name) for folder in folders if (folder / name).is_file()), None)

    def before(self, name, otherwise):
        """Returns the JSON of an earlier measurement in the same folder, to which a measurement adds its rows."""
        return read_json(self.out / name, otherwise)

    def write_table(self, mark, lines):
        """Writes a table: between two marks of the lesson's README, or into tables.md of the user's folder."""
        if self.update:
            write_between(self.lesson, mark, lines)
            return
        self.tables.append("\n".join([f"## {mark}", "", *lines]).rstrip().replace("](results/", "](") + "\n")
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "tables.md").write_text("\n".join(self.tables), encoding="utf-8")
