"""From figures to words: the JSON document, the Markdown table, the checks."""

import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.frameworks import HORNBEAM

LOSS_TOLERANCE = 0.25
"""How far a first epoch's mean loss may lie from the median of all, as a share of it: frameworks
start from different random weights; one that trains another model lies much farther."""


def write(document: dict[str, Any], table: str, folder: Path, stem: str) -> list[Path]:
    """Write `stem.json` and `stem.md` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{stem}.json", folder / f"{stem}.md"]
    paths[0].write_text(json.dumps(document, indent=1) + "\n")
    paths[1].write_text(table)
    return paths


def markdown(document: dict[str, Any]) -> str:
    """The whole report as Markdown."""
    machine = document["machine"]
    flags = " ".join(machine["cpu_flags"])
    parts = [
        f"# Hornbeam and its peers, {document['date'][:10]}",
        f"{machine['cpu']} ({flags}), {machine['cores']} cores, {machine['memory_gib']} GiB; "
        f"Python {machine['python']}; load average at the start {machine['load_at_start']}. "
        f"Medians of {document['rounds']} interleaved rounds (lowest to highest); less is better.",
    ]
    if document["cases"]:
        parts += [
            _times(document["cases"]),
            _ratios(document["cases"]),
            by_hand(document["cases"]),
        ]
        parts += [_floors(document["cases"], document["peak"]), _losses(document["cases"])]
        parts.append(_memory(document["cases"]))
    if document["startup"]:
        parts.append(_processes("Start-up", "`python -c`", document["startup"]))
    if document["first_epoch"]:
        title = "From the start of a script to the end of its first epoch, second run"
        parts.append(_processes(title, "script", document["first_epoch"]))
    if document["first_step"]:
        title = "The first step of a hand-written loop, second run"
        parts.append(_processes(title, "step", document["first_step"], unit="ms, the step alone"))
    parts.append(_versions(document["cases"]))
    failed = failures(document)
    if failed:
        parts.append("## Failed\n\n" + "\n".join(f"- {line}" for line in failed))
    return "\n\n".join(part for part in parts if part) + "\n"


def failures(document: dict[str, Any]) -> list[str]:
    """What went wrong: workers that ended, imports that failed, losses that don't fit."""
    found = []
    for case in document["cases"]:
        for cell in case["frameworks"].values():
            if "error" in cell:
                found.append(f"{case['name']}, {cell['title']}: {_last_line(cell['error'])}")
        found += [f"{case['name']}, {line}" for line in suspicious_losses(case)]
    for row in [*document["startup"], *document["first_epoch"], *document["first_step"]]:
        if "error" in row:
            found.append(f"`{row['import']}`: {_last_line(row['error'])}")
    return found


def suspicious_losses(case: dict[str, Any]) -> list[str]:
    """Losses that are not finite, or whose first epoch lies far from the others', of `fit` and of loops."""
    frameworks = case["frameworks"].values()
    found = _suspicious([cell for cell in frameworks if "first_loss" in cell])
    for name in case.get("beside", {}):
        cells = [
            {"title": f"{cell['title']}, {name}", **cell["losses"][name]}
            for cell in frameworks
            if name in cell.get("losses", {})
        ]
        found += _suspicious(cells)
    return found


def _suspicious(cells: Sequence[dict[str, Any]]) -> list[str]:
    found = [
        f"{cell['title']}: loss {cell['first_loss']}, later {cell.get('last_loss')}"
        for cell in cells
        if not (math.isfinite(cell["first_loss"]) and math.isfinite(cell.get("last_loss", 0.0)))
    ]
    finite = [cell for cell in cells if math.isfinite(cell["first_loss"])]
    if not finite:
        return found
    middle = statistics.median(cell["first_loss"] for cell in finite)
    found += [
        f"{cell['title']}: first epoch's loss {cell['first_loss']:.4f}, the median is {middle:.4f}"
        for cell in finite
        if abs(cell["first_loss"] - middle) > LOSS_TOLERANCE * middle
    ]
    return found


def ratios(case: dict[str, Any], measurement: str, peer: str) -> list[float]:
    """Each round's time of the peer over Hornbeam's: above 1, Hornbeam is faster."""
    ours, theirs = (
        case["frameworks"].get(name, {}).get("figures", {}).get(measurement, {}).get("rounds", [])
        for name in (HORNBEAM, peer)
    )
    return [peer_time / our_time for our_time, peer_time in zip(ours, theirs, strict=False)]


def _times(cases: Sequence[dict[str, Any]]) -> str:
    titles = _titles(cases)
    rows = []
    for case in cases:
        for measurement, unit in case["units"].items():
            cells = [_time_cell(case["frameworks"].get(name, {}), measurement) for name in titles]
            rows.append([case["title"], f"{measurement}, {unit}", *cells])
    return "## Times\n\n" + _table(["case", "what", *titles.values()], rows)


def _time_cell(cell: dict[str, Any], measurement: str) -> str:
    figures = cell.get("figures", {}).get(measurement)
    if figures is None:
        return "failed" if "error" in cell else "-"
    low, high = _number(figures["min"]), _number(figures["max"])
    return f"**{_number(figures['median'])}** ({low} to {high})"


def _ratios(cases: Sequence[dict[str, Any]]) -> str:
    titles = {name: title for name, title in _titles(cases).items() if name != HORNBEAM}
    rows: list[list[str]] = []
    for case in cases:
        for measurement in case["units"]:
            cells = []
            for name in titles:
                cells.append(_spread(ratios(case, measurement, name)))
            rows.append([case["title"], measurement, *cells])
    if all(cell == "-" for row in rows for cell in row[2:]):
        return ""
    note = "The peer's time over Hornbeam's, round by round: above 1, Hornbeam is faster."
    return f"## Ratios\n\n{note}\n\n" + _table(["case", "what", *titles.values()], rows)


def by_hand(cases: Sequence[dict[str, Any]]) -> str:
    """What users write by hand beside what is built in, within each framework."""
    titles = _titles(cases)
    rows = []
    for case in cases:
        for measurement, other in case.get("beside", {}).items():
            cells = []
            for name in titles:
                figures = case["frameworks"].get(name, {}).get("figures", {})
                both = [figures.get(each, {}).get("rounds", []) for each in (measurement, other)]
                values = [mine / base for mine, base in zip(*both, strict=False)]
                cells.append(_spread(values))
            rows.append([case["title"], f"{measurement} / {other}", *cells])
    if all(cell == "-" for row in rows for cell in row[2:]):
        return ""
    note = "Time over that of the built-in way in the same framework, round by round."
    return f"## By hand\n\n{note}\n\n" + _table(["case", "what", *titles.values()], rows)


def _spread(values: Sequence[float]) -> str:
    """Return the median of ratios with the lowest and the highest."""
    if not values:
        return "-"
    return f"**{statistics.median(values):.2f}** ({min(values):.2f} to {max(values):.2f})"


def _losses(cases: Sequence[dict[str, Any]]) -> str:
    titles = _titles(cases)
    rows = []
    for case in cases:
        if "fit" not in case["units"]:
            continue
        for key, label in (("first_loss", "first epoch"), ("last_loss", "last epoch")):
            cells = [case["frameworks"].get(name, {}).get(key) for name in titles]
            shown = ["-" if value is None else f"{value:.4f}" for value in cells]
            rows.append([case["title"], label, *shown])
    if not rows:
        return ""
    return "## Loss, to check that all train alike\n\n" + _table(
        ["case", "mean over", *titles.values()], rows
    )


def _memory(cases: Sequence[dict[str, Any]]) -> str:
    """The most that each process held, its data and everything measured so far included."""
    titles = _titles(cases)
    rows = []
    for case in cases:
        cells = [case["frameworks"].get(name, {}).get("peak_mib") for name in titles]
        rows.append([case["title"], *("-" if cell is None else f"{cell:.0f}" for cell in cells)])
    return "## Peak memory of each process, MiB\n\n" + _table(["case", *titles.values()], rows)


def _floors(cases: Sequence[dict[str, Any]], peak: dict[str, float]) -> str:
    """How near `fit` comes to the time that its matrix products alone need at the measured peak."""
    rows = []
    for case in cases:
        figures = case["frameworks"].get(HORNBEAM, {}).get("figures", {}).get("fit")
        dtype = case["policy"].removeprefix("mixed_")
        if figures is None or not case["operations_per_step"] or dtype not in peak:
            continue
        floor = 1000 * case["operations_per_step"] / peak[dtype]
        cells = [dtype, _number(floor), _number(figures["median"])]
        rows.append([case["title"], *cells, f"{100 * floor / figures['median']:.0f} %"])
    if not rows:
        return ""
    rates = ", ".join(f"{dtype} {rate / 1e9:.0f} GFLOP/s" for dtype, rate in peak.items())
    note = (
        f"Measured peak of a matrix product: {rates}. Floor: the operations of a step's products over "
        "the peak of their type, by their definition; what a step does besides is not in it. 3 x 3 "
        "convolutions in float32 (docs/design/0011), products with zeros and recurrent layers behind an "
        "embedding (0012) can be below it."
    )
    header = ["case", "products in", "floor, ms/step", "Hornbeam, ms/step", "of the peak"]
    return f"## Floors\n\n{note}\n\n" + _table(header, rows)


def _processes(
    title: str,
    what: str,
    rows: Sequence[dict[str, Any]],
    unit: str = "ms, start of the process to its end",
) -> str:
    shown = [
        [
            f"`{row['import']}` ({row['name']})",
            "failed"
            if "error" in row
            else f"**{row['median']:.0f}** ({row['min']:.0f} to {row['max']:.0f})",
        ]
        for row in rows
    ]
    return f"## {title}\n\n" + _table([what, unit], shown)


def _versions(cases: Sequence[dict[str, Any]]) -> str:
    seen: dict[str, str] = {}
    for case in cases:
        for cell in case["frameworks"].values():
            for package, version in cell.get("versions", {}).items():
                seen[f"{package} {version}"] = cell["title"]
    return "Versions: " + ", ".join(sorted(seen)) + "." if seen else ""


def _titles(cases: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Framework name -> title, in the order of the run."""
    return {name: cell["title"] for name, cell in cases[0]["frameworks"].items()}


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float) -> str:
    """Three significant digits, never in exponents."""
    if value <= 0 or not math.isfinite(value):
        return str(value)
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else "no message"
