"""The command line that the lessons' measure.py and plot.py scripts share."""

import argparse
import sys
from pathlib import Path

from .programs import RUNG
from .results import Results

WHERE = ("say where the results go: --out FOLDER writes JSON, tables and pictures to a folder of yours, and --update "
         "replaces the repository's own results/ and the tables of the lesson, which is for maintainers")


class UsageError(Exception):
    """measure() raises it if arguments are missing or contradictory. The script prints its usage and the message."""


def lesson_main(text, measure, report=lambda arguments: None, *, options=lambda parser: None, redraw="--plot",
                rung=True, model=None, repeats=None, update=True, own=None):
    """Parses the command line, measures, and reports.

    text      the script's docstring, which --help prints
    measure   measure(arguments) runs the programs and writes their results to the folder arguments.out
    report    report(arguments) writes tables and pictures from these results, see arguments.results
    options   options(parser) adds the arguments that only this script has
    redraw    the flag that skips measure(); None if the script has no such flag
    rung      adds --rung, the program to run
    model     adds --model with this default
    repeats   adds --repeats with this default
    update    adds --update, which writes to the repository. Without it, only --out remains
    own       the folder that --update writes to; default: results/ beside the script
    """
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, metavar="FOLDER", help="the folder for JSON, tables and pictures")
    if update:
        parser.add_argument("--update", action="store_true",
                            help="for maintainers: write the repository's own results/ and the tables of the lesson")
    if rung:
        parser.add_argument("--rung", default=RUNG, help="the program; default: build/bin/rung")
    if model is not None:
        parser.add_argument("--model", default=model, help=f"default: {model}")
    if repeats is not None:
        parser.add_argument("--repeats", type=int, default=repeats, help=f"default: {repeats}")
    if redraw is not None:
        parser.add_argument(redraw, dest="redraw", action="store_true",
                            help="measure nothing; only report what was measured before: FOLDER's JSON, or the "
                                 "repository's if FOLDER has none")
    options(parser)
    arguments = parser.parse_args()
    if not update and arguments.out is None:
        parser.error("say where the pictures go: --out FOLDER")
    if update and arguments.update == (arguments.out is not None):
        parser.error("--out and --update contradict each other; choose one of them" if arguments.update else WHERE)
    script = Path(sys.argv[0]).resolve()
    redrawn = redraw is not None and arguments.redraw
    results = Results(own or script.parent / "results", script.parent / "README.md", arguments.out,
                      update and arguments.update, redrawn)
    arguments.results, arguments.out = results, results.out
    if not redrawn:
        try:
            measure(arguments)
        except UsageError as error:
            parser.error(str(error))
    report(arguments)


def comma_list(kind):
    """Returns a type for add_argument() that accepts values of `kind`, separated by commas."""
    return lambda words: [kind(word) for word in words.split(",")]
