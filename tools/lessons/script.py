"""The command line that the lessons' measure.py scripts share, and the folder that their results go to."""

import argparse
import shutil
from pathlib import Path

from .programs import RUNG


class UsageError(Exception):
    """measure() raises it if arguments are missing or contradictory. The script prints its usage and the message."""


class Results:
    """The folder of a script's results: RESULTS / "x.json" is a file in it. With --out FOLDER, it is that folder, and
    the lesson's tables go to FOLDER/tables.md. With --update, it is the folder results/ of the lesson, and the tables
    are written into the lesson. lesson_main() chooses one of the two."""

    def __init__(self, script, own="results"):
        self.topic = Path(script).resolve().parent
        self.own = (self.topic / own).resolve()  # the repository's
        self.folder = None

    def choose(self, out):
        """Chooses the folder; None is the repository's own."""
        self.folder = self.own if out is None else Path(out)
        self.folder.mkdir(parents=True, exist_ok=True)

    def __truediv__(self, name):
        assert self.folder is not None, "lesson_main() has not chosen the folder yet"
        return self.folder / name

    def document(self, name="README.md"):
        """Returns the document of the lesson that gets a table."""
        return self.topic / name if self.folder == self.own else self.folder / "tables.md"

    def borrow(self):
        """Copies what was not measured from the repository's results, so that pictures and tables are complete."""
        if self.own == self.topic:
            return  # the pictures of a folder without results of its own
        for file in sorted(self.own.glob("*.json")):
            if not (self / file.name).exists():
                shutil.copy(file, self / file.name)
                print(f"{file.name} was not measured here; it is a copy of the repository's")


def lesson_main(text, measure, report=lambda arguments: None, *, results=None, options=lambda parser: None,
                redraw="--plot", rung=True, model=None, repeats=None):
    """Parses the command line, measures, and reports.

    text      the script's docstring, which --help prints
    measure   measure(arguments) runs the programs and writes what they print to `results`
    report    report(arguments) writes tables and pictures from `results`
    results   the Results of the script; adds --out and --update
    options   options(parser) adds the arguments that only this script has
    redraw    the flag that skips measure(); None if the script has no such flag
    rung      adds --rung, the program to run
    model     adds --model with this default
    repeats   adds --repeats with this default
    """
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    if results is not None:
        parser.add_argument("-o", "--out", type=Path, help="the folder for results, pictures and tables.md")
        parser.add_argument("--update", action="store_true",
                            help="for maintainers: write the results and tables of this repository instead")
    if rung:
        parser.add_argument("--rung", default=RUNG, help="the program; default: build/bin/rung")
    if model is not None:
        parser.add_argument("--model", default=model)
    if repeats is not None:
        parser.add_argument("--repeats", type=int, default=repeats)
    if redraw is not None:
        parser.add_argument(redraw, dest="redraw", action="store_true", help="only report what was measured before")
    options(parser)
    arguments = parser.parse_args()
    if results is not None:
        if (arguments.out is None) != arguments.update:
            parser.error("say where the results go: --out FOLDER, or --update for those of this repository")
        results.choose(arguments.out)
    if redraw is None or not arguments.redraw:
        try:
            measure(arguments)
        except UsageError as error:
            parser.error(str(error))
    if results is not None:
        results.borrow()
    report(arguments)


def comma_list(kind):
    """Returns a type for add_argument() that accepts values of `kind`, separated by commas."""
    return lambda words: [kind(word) for word in words.split(",")]
