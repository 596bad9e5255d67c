#!/usr/bin/env python3
"""Writes a report about all stored runs in a folder: one HTML page without outside files, and the same as PDF.

usage: report.py FOLDER [--out PAGE.html] [--title TEXT] [--author TEXT] [--discussion FILE] [--no-pdf]
"""

import argparse
import re
import sys
import tempfile
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lessons.draw_runs import draw_files  # noqa: E402
from lessons.pictures import COLORS, DARK, FILL, GRID, INK, MUTED, PAPER, write_file  # noqa: E402
from lessons.report_words import machine_rows, reading_of, table_of, warnings_of  # noqa: E402
from lessons.requirements import need  # noqa: E402
from lessons.stored_runs import NotStoredRuns, read_runs  # noqa: E402

STYLE = f"""
:root {{ --ink: {INK}; --muted: {MUTED}; --grid: {GRID}; --paper: {PAPER}; --fill: {FILL}; --accent: {COLORS[0]}; }}
@media screen and (prefers-color-scheme: dark) {{
  :root {{ --ink: {DARK[INK]}; --muted: {DARK[MUTED]}; --grid: {DARK[GRID]}; --paper: {DARK[PAPER]}; --fill: {DARK[FILL]};
    --accent: {DARK[COLORS[0]]}; }}
}}
body {{ font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1.5rem; }}
h1 {{ font-size: 1.7rem; margin-bottom: 0.2rem; }} h2 {{ font-size: 1.3rem; margin-top: 2.2rem; }} h3 {{ font-size: 1.05rem; }}
.author, .note, figcaption {{ color: var(--muted); }}
.question {{ border-left: 4px solid var(--accent); padding: 0.3rem 0 0.3rem 1rem; }}
table {{ border-collapse: collapse; width: 100%; font-size: 0.85rem; margin: 0.6rem 0; }}
th, td {{ padding: 0.25rem 0.5rem; border-bottom: 1px solid var(--grid); text-align: right; vertical-align: top; }}
th {{ border-bottom: 2px solid var(--ink); }} .text {{ text-align: left; }}
pre {{ background: var(--fill); padding: 0.7rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.8rem; }}
figure {{ margin: 1rem 0; }} figure svg {{ max-width: 100%; height: auto; }}
.warning {{ background: var(--fill); border-left: 4px solid {COLORS[1]}; padding: 0.3rem 1rem; }}
@page {{ size: A4; margin: 18mm 16mm; @bottom-center {{ content: counter(page) " / " counter(pages); font-size: 9px; }} }}
@media print {{ body {{ font-size: 10.5px; margin: 0; padding: 0; max-width: none; }} table {{ font-size: 8px; }}
  pre {{ font-size: 8px; }} h2, h3, h4 {{ break-after: avoid; }} figure, tr, .whole {{ break-inside: avoid; }} }}
"""


def table(heads, rows, texts):
    """Returns a table whose first `texts` columns are aligned to the left."""
    def row(cells, tag):
        return "<tr>" + "".join(f'<{tag}{" class=text" if i < texts else ""}>{escape(str(cell))}</{tag}>'
                                for i, cell in enumerate(cells)) + "</tr>"

    return "<table><thead>" + row(heads, "th") + "</thead><tbody>" + "".join(row(r, "td") for r in rows) + "</tbody></table>"


def setup(runs):
    """The variants, the settings and the command."""
    parts = []
    for part in runs["parts"]:
        names = list(dict.fromkeys(key for variant in part["variants"] for key in variant["options"]))
        rows = [[v["name"], *(v["options"].get(name, "") for name in names), v["model"]] for v in part["variants"]]
        shared = ", ".join(f"{key} {value}".strip() for key, value in part.get("settings", {}).items())
        text = f"Workload {part['workload']}" if part["measure"] != "quality" else f"Quality, measured on {part['workload']}"
        parts.append(f"<h4>{escape(part['name'])}</h4><p>{escape(text)}{escape('; ' + shared) if shared else ''}.</p>"
                     + table(["variant", *names, "model"], rows, len(names) + 2))
    return "".join(parts)


def pictures(file, folder, number):
    """Draws a file of runs, and returns its pictures as SVG elements. Their ids must differ within a page."""
    elements = []
    for i, name in enumerate(draw_files([file], Path(folder) / f"{number}")):
        svg = Path(f"{name}.svg").read_text(encoding="utf-8")
        svg = svg[svg.index("<svg"):]
        mark = f"runs{number}_{i}_"
        svg = re.sub(r'\bid="', f'id="{mark}', svg)
        svg = re.sub(r'(href="|url\()#', rf"\1#{mark}", svg)
        elements.append(f"<figure>{svg}</figure>")
    return "".join(elements)


def section(file, runs, folder, number):
    title = runs["title"] or runs["command"]
    texts = [f"<h2>{escape(title)}</h2>"]
    if runs["question"].strip():
        texts.append(f'<p class="question">{escape(" ".join(runs["question"].split()))}</p>')
    texts.append("<h3>Result</h3>" + pictures(file, folder, number))
    for part in runs["parts"]:
        texts.append(f"<h4>{escape(part['name'])}</h4>" + table(*table_of(part)))
        texts.append("<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in reading_of(part)) + "</ul>")
    warnings = warnings_of(runs)
    if warnings:
        texts.append('<div class="warning"><p>Read these results with care:</p><ul>'
                     + "".join(f"<li>{escape(sentence)}</li>" for sentence in warnings) + "</ul></div>")
    texts.append("<h3>Setup</h3>" + setup(runs) + f"<pre>{escape(runs['command'])}</pre>")
    if runs.get("experiment"):
        texts.append(f"<h4>The experiment's file</h4><pre>{escape(runs['experiment'])}</pre>")
    texts.append('<div class="whole"><h3>Machine</h3>' + table(["", ""], machine_rows(runs), 2) + "</div>")
    return "".join(texts)


def discussion(text):
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]
    return "<h2>Discussion</h2>" + "".join(f"<p>{escape(part)}</p>" for part in paragraphs)


def read_discussion(path):
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        sys.exit(f"rung: the discussion {path} cannot be read; --discussion is the name of a text file in UTF-8")


def page(files, arguments):
    titles = [runs["title"] for _, runs in files if runs["title"]]
    title = arguments.title or (titles[0] if len(files) == 1 and titles else "A comparison with Rung")
    with tempfile.TemporaryDirectory() as folder:
        sections = "".join(section(file, runs, folder, i) for i, (file, runs) in enumerate(files))
    author = f'<p class="author">{escape(arguments.author)}</p>' if arguments.author else ""
    note = ('<p class="note">A ratio says how many times as fast a variant is as the first one. Its interval contains the true '
            "ratio in the given percentage of all comparisons. If it contains 1, the runs show no difference.</p>")
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
            f"</head><body><h1>{escape(title)}</h1>{author}{note}{sections}"
            f"{discussion(arguments.text) if arguments.discussion else ''}</body></html>\n")


def read_folder(folder):
    if not Path(folder).is_dir():
        sys.exit(f"rung: there is no folder {folder}; give the folder with the files of rung compare --out or rung experiment")
    files = []
    for file in sorted(Path(folder).glob("*.json")):
        try:
            files.append((file, read_runs(file)))
        except NotStoredRuns as error:
            print(f"rung: left out: {error}", file=sys.stderr)
    if not files:
        sys.exit(f"rung: {folder} has no file of stored runs; rung compare --out and rung experiment write them")
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--out", type=Path, help="default: report.html in the folder")
    parser.add_argument("--title")
    parser.add_argument("--author")
    parser.add_argument("--discussion")
    parser.add_argument("--no-pdf", action="store_true")
    arguments = parser.parse_args()
    out = arguments.out or Path(arguments.folder) / "report.html"
    pdf = out.with_suffix(".pdf")
    try:
        files = read_folder(arguments.folder)
        if out.is_dir() or not out.parent.is_dir():
            sys.exit(f"rung: the page cannot be written to {out}; --out is the name of a file in a folder that exists")
        inputs = [file.resolve() for file, _ in files] + ([Path(arguments.discussion).resolve()] if arguments.discussion else [])
        if out.resolve() in inputs or pdf.resolve() in inputs or out == pdf:
            sys.exit(f"rung: {out} is read for this report or is the name of its PDF; choose another name with --out")
        if arguments.discussion:
            arguments.text = read_discussion(arguments.discussion)
        html = page(files, arguments)
        write_file(out, html.encode())
        print(f"wrote {out}")
        if not arguments.no_pdf:
            printer = need("weasyprint", "the PDF (the page is written)")
            write_file(pdf, printer.HTML(string=html).write_pdf())
            print(f"wrote {pdf}")
    except OSError as error:
        sys.exit(f"rung: {error}")
    except KeyboardInterrupt:
        sys.exit("rung: interrupted")


if __name__ == "__main__":
    main()
