"""Figures as Markdown and as JSON."""

import os
import platform
import statistics

# What Lichen is to reach: its wall time by that of Debian's buildah.
TARGETS = {
    ("hello", "cold"): 0.35, ("hello", "warm"): 0.16, ("hello", "cached"): 0.30,
    ("steps20", "cold"): 0.16, ("steps20", "warm"): 0.08, ("steps20", "cached"): 0.10,
    ("steps20-bigbase", "cold"): 0.20, ("steps20-bigbase", "warm"): 0.07,
    ("copytree", "cold"): 0.25, ("copytree", "warm"): 0.22, ("copytree", "changed"): 0.20, ("copytree", "cached"): 0.03,
    ("biglayer", "cold"): 0.23, ("biglayer", "warm"): 0.22, ("biglayer", "cached"): 0.20,
    ("multistage", "cold"): 0.36,
}

MEBIBYTE = 1 << 20


def median(figures, field):
    return statistics.median(figure[field] for figure in figures) if figures else None


def table(results):
    heads = ["workload", "mode", "lichen s (min)", "cpu s", "peak MiB", "MB", "buildah s (min)", "cpu s", "peak MiB", "MB",
             "limit s", "cpu s", "lichen / buildah", "target", "by cpu", "lichen / limit", "by cpu"]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for name, figures in results.items():
        for mode in ("cold", "warm", "changed", "cached"):
            lichen = figures.get((mode, "lichen"))
            if not lichen:
                continue
            buildah, limit = figures.get((mode, "buildah")), figures.get((mode, "limit"))
            ratio, effort = ratios(lichen, buildah)
            above, effort_above = ratios(lichen, limit)
            cells = [name, mode, *columns(lichen), *columns(buildah), number(median(limit, "wall"), 2),
                     number(median(limit, "cpu"), 2), number(ratio, 3), target(TARGETS.get((name, mode)), ratio),
                     number(effort, 3), number(above, 1), number(effort_above, 1)]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ratios(figures, others):
    """Of wall and of CPU time."""
    return [median(figures, field) / median(others, field) if others and median(others, field) else None
            for field in ("wall", "cpu")]


def columns(figures):
    if not figures:
        return ["–"] * 4
    least = min(figure["wall"] for figure in figures)
    memory = max(figure["memory"] for figure in figures)
    return [f"{number(median(figures, 'wall'), 2)} ({number(least, 2)})", number(median(figures, "cpu"), 2),
            f"{memory / MEBIBYTE:.0f}" if memory else "–", f"{median(figures, 'size') / 1e6:.1f}"]


def number(value, digits):
    return "–" if value is None else f"{value:.{digits}f}"


def target(value, ratio):
    if value is None:
        return "–"
    if ratio is None:
        return f"≤ {value:.2f}"
    return f"≤ {value:.2f} {'met' if ratio <= value else '**missed**'}"


def text(versions, runs, results, start):
    lines = [f"{', '.join(versions)}; {os.cpu_count()} processors, Linux {platform.release()}; medians of {runs}, "
             f"minima in brackets; load at the end {os.getloadavg()[1]:.1f}", "", table(results), "",
             "| start | minimum ms | median ms |", "| --- | --- | --- |"]
    lines += [f"| {name} | {least * 1000:.1f} | {middle * 1000:.1f} |" for name, (least, middle) in start.items()]
    return "\n".join(lines)


def document(versions, results, start):
    """Every single figure: seconds and bytes."""
    return {
        "versions": versions, "processors": os.cpu_count(), "kernel": platform.release(),
        "workloads": {name: {mode: {engine: rows for (own, engine), rows in figures.items() if own == mode}
                             for mode in dict.fromkeys(mode for mode, _ in figures)}
                      for name, figures in results.items()},
        "starts": {name: {"minimum": least, "median": middle} for name, (least, middle) in start.items()},
        "targets": {f"{name} {mode}": value for (name, mode), value in TARGETS.items()},
    }


def curves(result):
    lines = []
    for title, points in result.items():
        lines += ["", f"**{title}**", "", rows(points)]
    return "\n".join(lines)


def rows(points):
    """A table of what have the same fields."""
    columns = list(points[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(str(point[column]) for column in columns) + " |" for point in points]
    return "\n".join(lines)
