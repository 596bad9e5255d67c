"""Pictures of serving: latencies and goodput over the rate of arrivals, or bars of percentiles for one rate."""

from .pictures import COLORS, HATCHES, INK, MARKERS, MUTED, legend_above, plain_ticks, tidy, wrapped
from .speed_pictures import beside, draw_bars, sizes_of

SHARES = ("p50", "p90", "p99")


def height(series):
    if len(sizes_of(series)) == 1:
        return 3.1 + 1.3 + 0.27 * len(series)
    return 3.2 + 0.16 * max(0, len(series) - 6)


def bars_of(each, sizes, values, *keys, scale=1.0):
    """The bars of a line of medians: the middle half of the rounds. None if there are too few rounds."""
    spans = [each.quartiles(size, *keys) for size in sizes]
    if any(span is None for span in spans):
        return None
    return [[max(0, value - scale * low) for value, (low, _) in zip(values, spans)],
            [max(0, scale * high - value) for value, (_, high) in zip(values, spans)]]


def draw(figure, workload, series):
    figure.suptitle(workload, x=0.01, ha="left", fontsize=10, fontweight="bold", color=INK)
    if len(sizes_of(series)) == 1:
        above, below = figure.subfigures(2, 1, height_ratios=[3.1, 1.3 + 0.27 * len(series)])
        draw_percentiles(above, series)
        draw_bars(below, series, label="output tokens per second; bars: slowest to fastest round")
    else:
        draw_rates(figure, series)


def draw_percentiles(figure, series):
    axes = figure.subplots(1, 3)
    for axis, key, title in zip(axes, ("ttft_s", "itl_s", "e2e_s"), ("time to first token", "time between tokens", "end to end")):
        width = 0.8 / len(series)
        for i, each in enumerate(series):
            (size, result), *_ = each.points()
            places = [j + (i - (len(series) - 1) / 2) * width for j in range(len(SHARES))]
            values = [1e3 * result[key][share] for share in SHARES]
            bars = [bars_of(each, [size], [value], key, share, scale=1e3) for value, share in zip(values, SHARES)]
            known = all(bar is not None for bar in bars)
            axis.bar(places, values, width * 0.92, color=COLORS[i % 8], hatch=HATCHES[i % 8], label=each.label,
                     yerr=[[bar[side][0] for bar in bars] for side in (0, 1)] if known else None,
                     error_kw={"elinewidth": 0.9, "ecolor": MUTED})
        axis.set_xticks(range(len(SHARES)), [share.upper() for share in SHARES])
        axis.set_title(title, fontsize=9, fontweight="normal")
        tidy(axis, "y")
    axes[0].set_ylabel("ms")
    handles, labels = axes[0].get_legend_handles_labels()
    legend_above(figure, handles, labels, side="right", ncols=min(4, len(labels)), fontsize=8)


def draw_rates(figure, series):
    axes = figure.subplots(1, 3)
    ttft, itl, goodput = axes
    for i, each in enumerate(series):
        # A rate of 0 means that all requests arrive at once, which has no place on this axis.
        points = sorted((point for point in each.points() if point[0] > 0), key=lambda point: point[0])
        rates = [rate for rate, _ in points]
        width = max(0.9, 2.2 - 0.3 * i)  # lines that coincide remain visible
        look = {"color": COLORS[i % 8], "marker": MARKERS[i % 8], "markersize": 5, "linewidth": width, "elinewidth": 0.9}
        every = [beside(rate, i, len(series), rates) for rate in rates]

        def line(axis, *keys, scale=1.0, **more):
            values = []
            for _, result in points:
                for key in keys:
                    result = result[key]
                values.append(scale * result)
            axis.errorbar(every, values, yerr=bars_of(each, rates, values, *keys, scale=scale), **look, **more)

        line(ttft, "ttft_s", "p50", scale=1e3, linestyle="--")
        line(ttft, "ttft_s", "p99", scale=1e3, label=each.label)
        line(itl, "itl_s", "p99", scale=1e3)
        line(goodput, "goodput_request_s")
    all_rates = [rate for rate in sizes_of(series) if rate > 0]
    goodput.plot([0, max(all_rates)], [0, max(all_rates)], color=MUTED, linewidth=1, linestyle=":", marker="none")
    goodput.annotate("all requests", (max(all_rates), max(all_rates)), xytext=(-4, 2), textcoords="offset points", ha="right",
                     va="bottom", fontsize=7.5, color=MUTED)
    for axis, label in zip(axes, ("time to first token, ms; dashed: P50, solid: P99; bars: middle half of the rounds", "P99 of the time between tokens, ms",
                                  "goodput, requests per second")):
        axis.set_xlabel("rate of arrivals, requests per second")
        axis.set_ylabel(wrapped(label))
        axis.set_xlim(left=0)
        tidy(axis)
    values = [1e3 * r["ttft_s"][share] for each in series for _, r in each.points() for share in ("p50", "p99")]
    if max(values) > 10 * max(min(values), 1e-9):
        ttft.set_yscale("log")
        plain_ticks(ttft.yaxis)
    else:
        ttft.set_ylim(bottom=0)
    itl.set_ylim(bottom=0)
    goodput.set_ylim(bottom=0)
    if any(rate == 0 for rate in sizes_of(series)):
        goodput.annotate("not shown: all requests at once", (1, 0), xycoords="axes fraction", xytext=(-4, 3),
                         textcoords="offset points", ha="right", va="bottom", fontsize=7, color=MUTED)
    targets = ", ".join(f"{name[:-2].upper()} within {1e3 * limit:g} ms" for name, limit in series[0].part.get("targets", {}).items())
    goodput.set_title(targets or "no target: every served request counts", fontsize=8, fontweight="normal")
    handles, labels = ttft.get_legend_handles_labels()
    legend_above(figure, handles, labels, side="right", ncols=min(4, len(labels)), fontsize=8)
