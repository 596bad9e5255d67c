"""Pictures of quality: perplexity and KL divergence over bytes."""

from .pictures import COLORS, INK, MARKERS, MUTED, tidy, wrapped

NOTHING = 1e-7  # nats; a smaller KL divergence is rounding


def height(series):
    return 3.2


def bytes_text(value):
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= factor:
            return f"{value / factor:g} {unit}"
    return f"{value:g} bytes"


def draw(figure, workload, series):
    from matplotlib.ticker import FuncFormatter

    figure.suptitle(f"quality on {workload}", x=0.01, ha="left", fontsize=10, fontweight="bold", color=INK)
    results = [next(iter(each.points()))[1] for each in series]
    has_kl = any(result.get("kl") is not None for result in results)
    axes = figure.subplots(1, 2 if has_kl else 1, squeeze=False)[0]
    draw_points(axes[0], series, results, "ppl", "perplexity; bars: standard error")
    if has_kl:
        draw_points(axes[1], series, results, "kl", f"KL divergence from {series[0].part['reference']}, nats per token")
        shown = [r["kl"] for r in results if r.get("kl") is not None and r["kl"] > NOTHING]
        if shown and max(shown) > 10 * min(shown):
            axes[1].set_yscale("log")
            axes[1].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes[1].margins(y=0.15)
        elif shown:
            axes[1].set_ylim(0, 1.2 * max(shown))
        equal = [each.label for each, r in zip(series, results) if r.get("kl") is not None and r["kl"] <= NOTHING]
        if equal:
            axes[1].set_title(f"{', '.join(equal)}: no difference above {NOTHING:g}", fontsize=8, fontweight="normal", color=MUTED)


def draw_points(axis, series, results, key, label):
    from matplotlib.ticker import FuncFormatter

    shown = [(i, each, result) for i, (each, result) in enumerate(zip(series, results))
             if result.get(key) is not None and (key != "kl" or result[key] > NOTHING)]
    for i, each, result in shown:
        axis.errorbar(result["bytes"], result[key], yerr=result.get(f"{key}_error"), color=COLORS[i % 8], marker=MARKERS[i % 8],
                      markersize=7, linestyle="none")
        # Of two points with the same bytes, the higher one has its name on the left.
        left = any(other["bytes"] == result["bytes"] and other[key] < result[key] for _, _, other in shown)
        axis.annotate(each.label, (result["bytes"], result[key]), xytext=(-7 if left else 7, 0), textcoords="offset points",
                      ha="right" if left else "left", va="center", fontsize=8, color=INK)
    axis.set_xlabel(results[0]["bytes_of"])
    axis.set_ylabel(wrapped(label))
    axis.set_xlim(0, 1.2 * max(result["bytes"] for result in results))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: bytes_text(value) if value else "0"))
    axis.margins(y=0.2)
    tidy(axis)
