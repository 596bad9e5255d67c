"""The style of all pictures of this repository: fonts, colors, grids, captions, light and dark pages.

The functions import matplotlib when they are called, so that a script that only measures does not need it. All colors
of a picture come from this file, because save_picture() exchanges them for a dark page.
"""

import io
import os
import re
import textwrap
from pathlib import Path

# Eight colors that remain distinct for readers who do not see all colors (Okabe and Ito, "Color Universal Design",
# 2008), in the order in which series take them. Series also differ in their marker, and bars in their hatch, so that a
# picture can be printed without colors.
COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c6d31"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
# Hatches of lines only: an SVG file with dots would be ten times as large.
HATCHES = ["", "////", "\\\\\\\\", "xxxx", "----", "||||", "++++", "//"]
INK = "#222222"  # text, axes, and lines that are not data
MUTED = "#6b6b6b"  # captions, and lines for comparison, such as a limit
GRID = "#e3e3e3"
PAPER = "#ffffff"
SHADE = "#bdbdbd"  # areas of data that matter less, such as waiting
FILL = "#eef1f4"  # areas without data, such as boxes of a diagram

# Light areas of diagrams, on which INK is readable: blue, orange, green, purple, yellow.
TINTS = ["#d6e6f2", "#f9e0d0", "#d5eee5", "#ebe0f0", "#fbedc8"]

# What save_picture() writes into the SVG for readers whose page is dark.
DARK = {INK: "#e6e6e6", MUTED: "#a0a0a0", GRID: "#3a3f45", PAPER: "#16191d", FILL: "#262b31", SHADE: "#5d646c",
        "#0072b2": "#4aa8e0", "#d55e00": "#f0803c", "#009e73": "#2cc299", "#cc79a7": "#dd9cc0", "#e69f00": "#f0b73a",
        "#56b4e9": "#8accf2", "#7a5195": "#ad8bc6", "#8c6d31": "#bfa264",
        "#d6e6f2": "#1f3a4d", "#f9e0d0": "#52301c", "#d5eee5": "#1c4437", "#ebe0f0": "#3d2f49", "#fbedc8": "#4d4018"}


def pyplot(font_size=9):
    """Returns matplotlib.pyplot, set up to draw into files. The same data always gives the same file. Ends the script
    with a message if matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        raise SystemExit("drawing needs matplotlib; install it with `apt-get install python3-matplotlib` or "
                         "`python3 -m pip install matplotlib`") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from cycler import cycler

    plt.rcdefaults()
    matplotlib.rcParams.update({
        "text.parse_math": False,  # names of files and variants may contain $
        "svg.hashsalt": "rung", "svg.fonttype": "none", "font.size": font_size, "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"], "axes.titlesize": font_size + 1, "axes.titleweight": "bold",
        "axes.titlelocation": "left", "legend.frameon": False, "legend.fontsize": font_size - 1,
        "axes.prop_cycle": cycler(color=COLORS) + cycler(marker=MARKERS), "lines.markersize": 4.5,
        "lines.linewidth": 1.6, "hatch.linewidth": 0.6, "hatch.color": PAPER, "errorbar.capsize": 2.5,
        "figure.constrained_layout.use": True,
        "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER,
        **{key: INK for key in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")},
        "grid.color": GRID})
    return plt


def tidy(axis, grid="both"):
    """Draws a thin grid behind the data, and removes the frame at the top and on the right."""
    axis.grid(True, axis=grid, color=GRID, linewidth=0.6)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def plain_ticks(side, subs=(1, 2, 5)):
    """Labels a logarithmic axis (axis.xaxis or axis.yaxis) with plain numbers at 1, 2 and 5."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    side.set_major_locator(LogLocator(subs=subs))
    side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    side.set_minor_formatter(NullFormatter())


def size_ticks(axis, sizes):
    """Makes the horizontal axis logarithmic (base 2) with a tick at each of the measured sizes."""
    axis.set_xscale("log", base=2)
    axis.set_xticks(list(sizes), [f"{size:,g}" for size in sizes])
    axis.minorticks_off()


def wrapped(text, width=36):
    """Breaks the label of an axis into lines, so that it does not become longer than the axis."""
    return "\n".join(textwrap.wrap(text, width))


def legend_above(figure, handles, labels, side="left", **options):
    """Puts one legend for all panels above them, on the left, in the center or on the right."""
    import matplotlib

    if tuple(int(part) for part in matplotlib.__version__.split(".")[:2]) >= (3, 7):
        return figure.legend(handles, labels, loc=f"outside upper {side}", **options)
    # Debian 12 has matplotlib 3.6, whose figures do not make room for a legend, but for a title.
    rows = -(-len(labels) // options.get("ncols", 1)) + ("title" in options)
    title = figure._suptitle or figure.suptitle("")
    title.set_text(title.get_text() + "\n" * (rows if title.get_text() == "" or side == "left" else rows - 1))
    legend = figure.legend(handles, labels, loc=f"upper {side}", **options)
    legend.set_in_layout(False)
    return legend


def caption(figure, text):
    """Writes the machine, the date and the command below the picture, in small letters."""
    width = int(figure.get_size_inches()[0] * 18)
    lines = [line for paragraph in text.split("\n") for line in textwrap.wrap(paragraph, width) or [""]]
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7, color=MUTED)


def save_picture(figure, path, dpi=110):
    """Writes path.svg, which follows the page from light to dark, and path.png, which is light."""
    import matplotlib.pyplot as plt

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing, image = io.StringIO(), io.BytesIO()
    figure.savefig(drawing, format="svg", metadata={"Date": None})
    figure.savefig(image, format="png", dpi=dpi)
    plt.close(figure)
    write_file(f"{path}.svg", follow_page(shorten(drawing.getvalue())).encode())
    write_file(f"{path}.png", image.getvalue())
    print(f"wrote {path.name}.svg and {path.name}.png")


def write_file(path, data):
    """Writes a file as a whole: what stood there remains if the disk is full. Ends the script with a message if it cannot be
    written."""
    path = Path(path)
    part = path.with_name(f".{path.name[:200]}.{os.getpid()}")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SystemExit(f"rung: {path} cannot be written: {error.strerror}") from None
    except KeyboardInterrupt:
        part.unlink(missing_ok=True)
        raise


def shorten(text):
    """Leaves two digits after the point in the paths of an SVG, of the six that matplotlib writes."""
    return re.sub(r' d="[^"]*"', lambda match: re.sub(r"(\.\d\d)\d+", r"\1", match[0]), text)


def follow_page(text):
    """Adds a style sheet to an SVG that exchanges this package's colors if the reader's page is dark. matplotlib
    writes colors as style="fill: #222222", and graphviz as fill="#222222"."""
    rules = [f'[style*="{kind}: {light}"],[{kind}="{light}"]{{{kind}:{dark} !important}}'
             for light, dark in DARK.items() if light in text for kind in ("fill", "stroke")]
    sheet = "<style>@media (prefers-color-scheme: dark){" + "".join(rules) + "}</style>"
    return re.sub(r"(<svg[^>]*>)", lambda match: match[1] + "\n " + sheet, text, count=1)
