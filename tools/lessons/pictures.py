"""The style of the lessons' pictures. The functions import matplotlib when they are called, so that a script that only
measures does not need it."""

from pathlib import Path


def pyplot(font_size=9):
    """Returns matplotlib.pyplot, set up to draw into files. The same data always gives the same file."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "rung"
    matplotlib.rcParams["font.size"] = font_size
    return plt


def tidy(axis, grid="both", color="#e4e4e4"):
    """Draws a thin grid behind the data, and removes the frame at the top and on the right."""
    axis.grid(True, axis=grid, color=color, linewidth=0.6)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def plain_ticks(side):
    """Labels a logarithmic axis (axis.xaxis or axis.yaxis) with plain numbers at 1, 2 and 5."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    side.set_major_locator(LogLocator(subs=(1, 2, 5)))
    side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    side.set_minor_formatter(NullFormatter())


def save_picture(figure, path, dpi=110):
    """Writes path.svg and path.png."""
    if figure.get_layout_engine() is None:
        figure.tight_layout()
    figure.savefig(f"{path}.svg", metadata={"Date": None})
    figure.savefig(f"{path}.png", dpi=dpi)
    name = Path(path).name
    print(f"wrote {name}.svg and {name}.png")
