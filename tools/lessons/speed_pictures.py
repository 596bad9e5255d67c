"""Pictures of the speed of variants: time, share of the machine's limit, and how many times as fast each one is."""

from .pictures import COLORS, HATCHES, INK, MARKERS, MUTED, legend_above, plain_ticks, size_ticks, tidy, wrapped
from .stored_runs import limit_word

WIDE = 10  # factor between the largest and the smallest value above which an axis is logarithmic


def sizes_of(series):
    return sorted({size for each in series for size, _ in each.points()})


def height(series):
    """Inches that a group of series needs."""
    if len(sizes_of(series)) == 1:
        return 1.3 + 0.27 * len(series)
    return 3.1 + 0.16 * max(0, len(series) - 6)


def limits_text(series):
    """The names of the limits that bound these runs, in words."""
    names = dict.fromkeys(limit_word(result["limit"]) for each in series for _, result in each.points() if result.get("limit"))
    return " or ".join(names)


def draw(figure, workload, series):
    figure.suptitle(workload, x=0.01, ha="left", fontsize=10, fontweight="bold", color=INK)
    sizes = sizes_of(series)
    if len(sizes) == 1:
        draw_bars(figure, series)
    else:
        draw_curves(figure, series, sizes)


def beside(size, i, count, sizes):
    """Moves a point a little to the left or to the right, so that the bars of several series can be told apart."""
    step = 0.012 * (max(sizes) / min(sizes)) ** (1 / 3) if min(sizes) > 0 else 0
    step = min(step, 0.2 / count)  # many series stay within a tenth of their size
    return size * (1 + step) ** (i - (count - 1) / 2)


def line(axis, each, i, count, value, low=None, high=None):
    """Draws series i of `count` over the sizes, with bars from low(result) to high(result)."""
    points = [(size, result) for size, result in each.points() if value(result) is not None]
    every = [size for size, _ in each.points()]
    sizes = [beside(size, i, count, every) for size, _ in points]
    values = [value(result) for _, result in points]
    bars = None
    if low is not None:
        # Where one end is not known, there is no bar: half a bar would look like a small spread.
        known = [low(r) is not None and high(r) is not None for _, r in points]
        down = [v - low(r) if k else 0 for v, k, (_, r) in zip(values, known, points)]
        up = [high(r) - v if k else 0 for v, k, (_, r) in zip(values, known, points)]
        bars = [[max(0, d) for d in down], [max(0, u) for u in up]]
    # If lines coincide, all of them remain visible, because later ones are thinner.
    axis.errorbar(sizes, values, yerr=bars, color=COLORS[i % 8], marker=MARKERS[i % 8], label=each.label, elinewidth=0.9,
                  linewidth=max(0.9, 2.2 - 0.3 * i), linestyle="-" if i < 8 else "--", markersize=5)


def draw_curves(figure, series, sizes):
    axes = figure.subplots(1, 3)
    seconds, shares, ratios = axes
    for i, each in enumerate(series):
        count = len(series)
        line(seconds, each, i, count, lambda r: 1e3 * r["seconds"], lambda r: 1e3 * r["seconds_min"], lambda r: 1e3 * r["seconds_max"])
        line(shares, each, i, count, lambda r: 100 * r["share"] if "share" in r else None)
        line(ratios, each, i, count, lambda r: r["ratio"], lambda r: r["ratio_low"], lambda r: r["ratio_high"])
    label = series[0].part["size"]
    for axis in axes:
        size_ticks(axis, sizes)
        axis.set_xlabel(label)
        tidy(axis)
    values = [1e3 * r["seconds"] for each in series for _, r in each.points()]
    for axis, title in zip(axes, ("time", "share of the limit", "compared with the first")):
        axis.set_title(title, fontsize=9, fontweight="normal")
    seconds.set_ylabel("ms, median; bars: fastest to slowest")
    if max(values) > WIDE * min(values):
        seconds.set_yscale("log")
        plain_ticks(seconds.yaxis)
    else:
        seconds.set_ylim(bottom=0)
    shares.set_ylabel(wrapped(f"% of the limit: {limits_text(series)}"))
    shares.set_ylim(bottom=0)
    limit = shares.axhline(100, color=MUTED, linewidth=0.9, linestyle=":")
    limit.set_visible(shares.get_ylim()[1] > 60)
    ratio_axis(ratios.yaxis, ratios.axhline, series)
    names = {each.baseline for each in series}
    baseline = names.pop() if len(names) == 1 else "the first variant"
    ratios.set_ylabel(wrapped(f"times as fast as {baseline}; bars: interval"))
    handles, labels = seconds.get_legend_handles_labels()
    legend_above(figure, handles, labels, side="right", ncols=min(4, len(labels)), fontsize=8)


def ratio_axis(axis, reference, series):
    """A logarithmic axis if the ratios are far from each other, and a line at 1."""
    reference(1, color=INK, linewidth=0.8)
    ratios = [r["ratio"] for each in series for _, r in each.points()]
    if max(ratios) > 4 * min(ratios):
        axis.axes.set_yscale("log") if axis.axis_name == "y" else axis.axes.set_xscale("log")
        plain_ticks(axis)


def draw_bars(figure, series, value=lambda r: r["tok_s"], label="tokens per second; bars: slowest to fastest round"):
    """One size: speed as bars, and the ratio with its interval beside it."""
    bars, ratios = figure.subplots(1, 2, sharey=True)
    rows = list(range(len(series)))
    for i, each in enumerate(series):
        (size, result), *_ = each.points()
        speed = value(result)
        spread = [[speed - speed * result["seconds"] / result["seconds_max"]],
                  [speed * result["seconds"] / result["seconds_min"] - speed]]
        bars.barh(i, speed, height=0.7, color=COLORS[i % 8], hatch=HATCHES[i % 8], xerr=spread,
                  error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2.5})
        low, high = result["ratio_low"], result["ratio_high"]
        known = low is not None and high is not None
        ratios.errorbar(result["ratio"], i, xerr=[[result["ratio"] - low], [high - result["ratio"]]] if known else None,
                        color=COLORS[i % 8], marker=MARKERS[i % 8], markersize=6, linestyle="none")
    bars.set_yticks(rows, [each.label for each in series])
    bars.invert_yaxis()
    bars.set_xlim(left=0)
    bars.locator_params(axis="x", nbins=6)
    size = sizes_of(series)[0]
    what = series[0].part["size"]
    bars.set_title("all requests arrive at once" if what == "requests per second" and size == 0 else f"{what}: {size:g}", fontsize=9,
                   fontweight="normal")
    bars.set_xlabel(label)
    tidy(bars, "x")
    ratio_axis(ratios.xaxis, ratios.axvline, series)
    ratios.set_xlabel(wrapped(f"times as fast as {series[0].baseline}; bars: interval", 60))
    ratios.tick_params(axis="y", length=0)
    tidy(ratios, "x")
    ratios.margins(y=0.2)
