"""The command line that the lessons' measure.py scripts share."""

import argparse

from .programs import RUNG


class UsageError(Exception):
    """measure() raises it if arguments are missing or contradictory. The script prints its usage and the message."""


def lesson_main(text, measure, report=lambda arguments: None, *, options=lambda parser: None, redraw="--plot",
                rung=True, model=None, repeats=None):
    """Parses the command line, measures, and reports.

    text      the script's docstring, which --help prints
    measure   measure(arguments) runs the programs and writes their results to results/
    report    report(arguments) writes tables and pictures from these results
    options   options(parser) adds the arguments that only this script has
    redraw    the flag that skips measure(); None if the script has no such flag
    rung      adds --rung, the program to run
    model     adds --model with this default
    repeats   adds --repeats with this default
    """
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
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
    if redraw is None or not arguments.redraw:
        try:
            measure(arguments)
        except UsageError as error:
            parser.error(str(error))
    report(arguments)


def comma_list(kind):
    """Returns a type for add_argument() that accepts values of `kind`, separated by commas."""
    return lambda words: [kind(word) for word in words.split(",")]
