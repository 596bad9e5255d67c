"""What the scripts of the lessons share: they run programs, record what the programs print, and write tables and
pictures.

A lesson's measure.py or plot.py finds this package by its path in the source tree, so nothing must be installed:

    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
    from lessons import ask, lesson_main, save_rows, write_between  # noqa: E402

    programs.py   run a program; run `rung` and read its JSON; interleave runs; describe the machine
    records.py    read and write the raw JSON in results/
    tables.py     write a table into a lesson, between two marks
    pictures.py   set the style of pictures and save them; needs matplotlib
    limit_words.py  the words for a share of a limit, or for a rate, in tables
    results.py    where a script reads results and writes results, tables and pictures
    stored_runs.py, draw_runs.py, report.py   what `rung plot` and `rung report` run; *_pictures.py draw
    requirements.py   installs a missing library where that is allowed
    script.py     lesson_main(): the command line that all measure.py and plot.py scripts share

`docs/write_tables.py` is a command and not a part of this package. It writes the tables of `rung ladder`, which many
lessons have. The measure.py of a lesson writes the tables that exist only in this lesson.
"""

from .pictures import (
    COLORS, FILL, GRID, HATCHES, INK, MARKERS, MUTED, PAPER, SHADE, TINTS, caption, follow_page, legend_above,
    plain_ticks, pyplot, save_picture, size_ticks, tidy)
from .programs import RUNG, ask, interleaved, machine, machine_text, middle, run, serve
from .records import read_json, save_rows
from .results import Results
from .script import UsageError, comma_list, lesson_main
from .tables import write_between

__all__ = ["COLORS", "FILL", "GRID", "HATCHES", "INK", "MARKERS", "MUTED", "PAPER", "RUNG", "Results", "SHADE", "TINTS",
           "UsageError", "ask", "caption", "comma_list", "follow_page", "interleaved", "legend_above", "lesson_main", "machine",
           "machine_text", "middle", "plain_ticks", "pyplot", "read_json", "run", "save_picture", "save_rows", "serve",
           "size_ticks", "tidy", "write_between"]
