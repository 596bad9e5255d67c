#!/usr/bin/env python3
"""Draws stored runs: the files that `rung compare --out` and `rung experiment` write.

usage: draw_runs.py FILE.json... --out NAME

Writes NAME.svg and NAME.png. Parts with the same measure and workload share their axes, also if they come from
different files. The workload decides the picture (speed_pictures.py, serving_pictures.py, quality_pictures.py).
"""

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lessons import quality_pictures, serving_pictures, speed_pictures  # noqa: E402
from lessons.pictures import caption, pyplot, save_picture  # noqa: E402
from lessons.requirements import need  # noqa: E402
from lessons.stored_runs import NotStoredRuns, load_warning, machine_line, read_runs  # noqa: E402

PAINTERS = {"speed": speed_pictures, "serving": serving_pictures, "quality": quality_pictures}


class Series:
    """One variant of one part, under the name that the picture gives it."""

    def __init__(self, label, part, variant, baseline):
        # matplotlib leaves names that begin with _ out of a legend.
        self.label = f" {label}" if label.startswith("_") else label
        self.part, self.variant, self.baseline = part, variant, baseline

    def points(self):
        """Yields (size, result) for every size that has results."""
        for point in self.part["points"]:
            if point["results"]:
                yield point.get("size", 0), point["results"][self.variant]

    def quartiles(self, size, *keys):
        """Returns the first and the third quartile over the rounds of a figure, such as "ttft_s", "p50". None if there are
        fewer than four rounds, or if the file does not have them."""
        for point in self.part["points"]:
            if point.get("size", 0) != size or not point["results"]:
                continue
            values = []
            for one in point["rounds"]:
                if "figures" not in one:
                    return None
                value = one["figures"][self.variant]
                for key in keys:
                    value = value[key]
                values.append(value)
            if len(values) >= 4:
                low, _, high = statistics.quantiles(values, n=4, method="inclusive")
                return low, high
        return None

    @property
    def is_baseline(self):
        return self.variant == 0


def groups_of(files):
    """Returns [(measure, workload, [Series])] of [(name of the file, runs)], in the order of their first occurrence.
    The name of a variant gets the name of its part or its file in front if it occurs twice."""
    groups = {}
    for name, runs in files:
        for part in runs["parts"]:
            workload = part["workload"] if part["measure"] != "quality" else part.get("reference", "")
            at_once = part["measure"] == "serving" and all(point["size"] == 0 for point in part["points"])
            groups.setdefault((part["measure"], workload, at_once), []).append((name, part))
    result = []
    for (measure, _, _), parts in groups.items():
        names = [variant["name"] for _, part in parts for variant in part["variants"]]
        twice = len(names) != len(set(names))
        in_files = {file for file, _ in parts}
        series = []
        for file, part in parts:
            front = []
            if twice and len(in_files) > 1:
                front.append(file)
            if twice and len(parts) > len(in_files):
                front.append(part["name"])
            for i, variant in enumerate(part["variants"]):
                series.append(Series(", ".join([*front, variant["name"]]), part, i, part["variants"][0]["name"]))
        result.append((measure, title_of([part for _, part in parts]), series))
    return result


def title_of(parts):
    """The workload, with the name of the part if it says more."""
    workload = parts[0]["workload"]
    names = {part["name"] for part in parts}
    name = names.pop() if len(names) == 1 else workload
    return workload if parts[0]["measure"] == "quality" or name.startswith(workload) else f"{name}: {workload}"


def draw(files, groups):
    """Returns a figure with one row of panels per group."""
    plt = pyplot()
    heights = [PAINTERS[measure].height(series) for measure, _, series in groups]
    figure = plt.figure(figsize=(9.6, sum(heights) + 0.45), layout="constrained")
    rows = figure.subfigures(len(groups), 1, squeeze=False, height_ratios=heights)
    for (measure, workload, series), row in zip(groups, rows[:, 0]):
        PAINTERS[measure].draw(row, workload, series)
    texts = []
    for _, runs in files:
        texts.append((load_warning(runs) + " " + machine_line(runs)).strip())
    texts.append(notes_on(groups))
    caption(figure, "\n".join(text for text in dict.fromkeys(texts) if text))
    return figure


def notes_on(groups):
    """What a reader of the picture must know about its bars and shares."""
    notes = []
    timed = [part for measure, _, series in groups if measure != "quality" for part in (each.part for each in series)]
    if timed:
        notes.append(f"Intervals contain the true ratio in {100 * timed[0].get('confidence', 0.95):g}% of all comparisons.")
    if any(result.get("share", 0) > 1 for part in timed for point in part["points"] for result in point["results"]):
        notes.append("A share above 100% means that data came from a cache, which is faster than the memory.")
    return " ".join(notes)


def short_names(paths):
    """The names of files without folder and ending; with as many folders as it takes to tell them apart."""
    parts = [Path(path).resolve().with_suffix("").parts for path in paths]
    for count in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-count:]) for part in parts]
        if len(set(names)) == len(set(parts)):
            break
    return names


def draw_files(paths, out):
    """Reads, draws and saves. Returns the names of the pictures, without their endings."""
    files = list(zip(short_names(paths), map(read_runs, paths)))
    need("matplotlib", "drawing")
    groups = groups_of(files)
    most = 5  # rows that fit on a page
    if len(groups) <= most:
        save_picture(draw(files, groups), out)
        return [str(out)]
    names = []
    for i, group in enumerate(groups):
        names.append(f"{out}_{i + 1}")
        save_picture(draw(files, [group]), names[-1])
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--out", required=True, help="the picture's name without .svg or .png")
    arguments = parser.parse_args()
    try:
        draw_files(arguments.files, arguments.out)
    except (NotStoredRuns, OSError) as error:
        sys.exit(f"rung: {error}")
    except KeyboardInterrupt:
        sys.exit("rung: interrupted")


if __name__ == "__main__":
    main()
