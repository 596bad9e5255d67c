"""The tables and the sentences of a report, as plain text. report.py makes a page of them."""

from .stored_runs import limit_word, load_warning, size_text

FEW_ROUNDS = 5
WIDE = 0.2  # of an interval, as a share of its ratio


def milliseconds(seconds):
    return f"{1e3 * seconds:.4g}"


def ratio_text(result, i):
    if i == 0:
        return "1"
    low, high = result["ratio_low"], result["ratio_high"]
    if low is None or high is None:
        return f"{result['ratio']:.3g} (no interval)"
    return f"{result['ratio']:.3g} ({low:.3g} to {high:.3g})"


def measured_points(part):
    return [point for point in part["points"] if point["results"]]


def table_of(part):
    """Returns (headings, rows, how many of the columns are text) of a part."""
    first = part["variants"][0]["name"]
    if part["measure"] == "quality":
        return quality_table(part)
    if part["measure"] == "serving":
        heads = ["rate", "variant", "TTFT P50, ms", "TTFT P99, ms", "ITL P99, ms", "mean E2E, ms", "served/s", "goodput/s",
                 f"times as fast as {first}"]
    else:
        heads = [part["size"], "variant", "median, ms", "fastest to slowest, ms", "tokens/s", "share of limit",
                 f"times as fast as {first}"]
    rows = []
    for point in measured_points(part):
        for i, r in enumerate(point["results"]):
            if part["measure"] == "serving":
                cells = [size_text(part, point["size"]), r["variant"], milliseconds(r["ttft_s"]["p50"]),
                         milliseconds(r["ttft_s"]["p99"]), milliseconds(r["itl_s"]["p99"]), milliseconds(r["seconds"]),
                         f"{r['request_s']:.2f}", f"{r['goodput_request_s']:.2f}", ratio_text(r, i)]
            else:
                share = f"{100 * r['share']:.0f}% of {limit_word(r['limit'])}" if r.get("limit") else ""
                cells = [f"{point['size']:g}", r["variant"], milliseconds(r["seconds"]),
                         f"{milliseconds(r['seconds_min'])} to {milliseconds(r['seconds_max'])}", f"{r['tok_s']:.1f}", share,
                         ratio_text(r, i)]
            rows.append(cells if i == 0 else ["", *cells[1:]])
    return heads, rows, 2


def quality_table(part):
    def with_error(r, key, digits):
        if r.get(key) is None:
            return "not comparable"
        error = r.get(f"{key}_error")
        return f"{r[key]:.{digits}f}" + (f" ± {error:.{digits}f}" if error is not None else "")

    results = measured_points(part)[0]["results"]
    heads = ["variant", f"bytes, {results[0]['bytes_of']}", "perplexity", "KL divergence, nats", "same most probable token"]
    rows = [[r["variant"], f"{r['bytes']:,.0f}", with_error(r, "ppl", 4), with_error(r, "kl", 6),
             f"{100 * r['same_top']:.2f}%" if r.get("same_top") is not None else "not comparable"] for r in results]
    return heads, rows, 1


def reading_of(part):
    """Returns sentences that say what the intervals show, one for each variant and size."""
    if part["measure"] == "quality":
        return quality_reading(part)
    sentences = []
    first = part["variants"][0]["name"]
    confidence = f"{100 * part.get('confidence', 0.95):g}%"
    for point in measured_points(part):
        where = "if all requests arrive at once" if part["measure"] == "serving" and point["size"] == 0 else \
            f"at {size_text(part, point['size'])}"
        for r in point["results"][1:]:
            low, high = r["ratio_low"], r["ratio_high"]
            if low is None or high is None:
                sentences.append(f"One round of {r['variant']} {where} says nothing about its speed.")
            elif low <= 1 <= high:
                sentences.append(f"The runs show no difference between {r['variant']} and {first} {where}: the {confidence} "
                                 f"interval of the ratio, {low:.3g} to {high:.3g}, contains 1.")
            else:
                what = "faster" if low > 1 else "slower"
                sentences.append(f"{r['variant']} is {what} than {first} {where}: {r['ratio']:.3g} times as fast, "
                                 f"{confidence} interval {low:.3g} to {high:.3g}.")
    return sentences


def quality_reading(part):
    results = [r for r in measured_points(part)[0]["results"] if r.get("kl") is not None]
    if not results:
        return ["No variant has the tokenizer of the reference, so there is no KL divergence. Perplexities of different "
                "tokenizers cannot be compared."]
    best, worst = min(results, key=lambda r: r["kl"]), max(results, key=lambda r: r["kl"])
    sentences = [f"{best['variant']} is nearest to {part['reference']}, with a KL divergence of {best['kl']:.3g} nats per token; "
                 f"{worst['variant']} is farthest, with {worst['kl']:.3g}."]
    smallest = min(results, key=lambda r: r["bytes"])
    sentences.append(f"{smallest['variant']} needs the fewest bytes: {smallest['bytes']:,.0f} ({smallest['bytes_of']}).")
    return sentences


def warnings_of(runs):
    """Returns sentences about what makes these runs less certain."""
    warnings = [load_warning(runs)] if load_warning(runs) else []
    for part in runs["parts"]:
        if part["measure"] == "quality":
            continue
        for point in measured_points(part):
            where = f"{part['name']}, {size_text(part, point['size'])}"
            if len(point["rounds"]) < FEW_ROUNDS:
                warnings.append(f"{where}: there are only {len(point['rounds'])} rounds.")
            for r in point["results"][1:]:
                low, high = r["ratio_low"], r["ratio_high"]
                if low is not None and high is not None and high - low > WIDE * r["ratio"]:
                    warnings.append(f"{where}: the interval of {r['variant']} is wide ({low:.3g} to {high:.3g}).")
    return warnings


def machine_rows(runs):
    """Returns [(what, value)] about the machine and the program."""
    machine = runs["machine"]
    caches = ", ".join(f"{name} {bytes_text(size)}" for name, size in machine["caches"].items()) or "unknown"
    return [("processor", machine["name"]), ("instruction set in use", machine["simd"]), ("caches", caches),
            ("memory", bytes_text(machine["memory_bytes"]) if machine["memory_bytes"] else "unknown"),
            ("frequency governor", machine["governor"]), ("system", machine["system"]), ("compiler", machine["compiler"]),
            ("version of Rung", machine["version"] + (f", commit {machine['commit']}" if machine["commit"] else "")),
            ("first round", runs["date"].replace("T", " ").replace("Z", " UTC")),
            ("load of other programs", f"{runs['other_load']:.2f} processors on average")]


def bytes_text(size):
    for factor, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size} bytes"
