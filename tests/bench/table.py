"""What a run found: as a table, as JSON, as a piece of docs/PERFORMANCE.md."""

import os
import platform
import re
import statistics
import tempfile
import time

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/PERFORMANCE.md")
BUSY_CORES = 0.25  # of others, from which on figures are not to be trusted
BEGIN, END = "<!-- ./dev bench --document writes from here -->\n", "<!-- to here -->\n"


def disk_of(folder):
    """Device, file system, and what a sync of 4 KiB takes there."""
    with open("/proc/self/mounts") as mounts:
        points = [line.split()[:3] for line in mounts]
    device, _, system = max((mount for mount in points
                             if (folder + "/").startswith(mount[1].rstrip("/") + "/")),
                            key=lambda mount: len(mount[1]))
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(20):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(1e3 * (time.perf_counter() - began))
    return f"{device} {system}, {statistics.median(took):.2f} ms a sync"


def machine(folder):
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s+: (.*)", info.read())
    return {"cpu": model.group(1) if model else platform.machine(), "cores": os.cpu_count(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "kernel": platform.release(), "disk": disk_of(folder), "load_before": round(os.getloadavg()[0], 2)}


def rounded(number):
    return None if number is None else float(f"{number:.4g}") if abs(number) < 1e4 else round(number)


def result(about, rows):
    about["meanwhile"] = {row.name: {"seconds": round(row.seconds, 1), "others_busy_cores": round(row.others, 2)}
                          for row in rows}
    return {"machine": about, "rows": [
        {"name": row.name, "ours": rounded(statistics.median(row.ours)),
         "peer": rounded(statistics.median(row.peers)) if row.peers else None,
         "peer_name": row.peer_name, "ratio": rounded(row.ratio()), "unit": row.unit,
         "min": rounded(min(row.ours)), "max": rounded(max(row.ours))} for row in rows]}


def shown(number):
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}" if abs(number) < 10 else f"{number:.1f}"


def figure(values):
    if not values:
        return "–"
    return f"{shown(statistics.median(values))} ({shown(min(values))} to {shown(max(values))})"


def ratio(row):
    return "–" if row.ratio() is None else f"{row.ratio():.3g}"


def goal(row):
    if not row.goal:
        return "–"
    return row.goal.replace("e6", " M") + ("" if row.reached() else " missed")


def about_text(about):
    return ("{cpu}, {cores} cores, {memory_gb} GB, Linux {kernel}, disk {disk}; load before {load_before}, "
            "others had {others_busy_cores} cores; {form} form, {minutes} minutes").format(**about)


def loaded(row):
    return f" [others had {row.others:.1f} cores]" if row.others > BUSY_CORES else ""


def text(found, rows, notes):
    out = ["machine: " + about_text(found["machine"]),
           f"{'row':24}{'ours (min to max)':>34}{'peer (min to max)':>34}{'ratio':>8}{'goal':>15}  unit, peer"]
    for row in rows:
        out.append(f"{row.name:24}{figure(row.ours):>34}{figure(row.peers):>34}{ratio(row):>8}{goal(row):>15}"
                   f"  {row.unit}; {row.peer_name}{loaded(row)}")
    return "\n".join(out + notes)


def markdown(found, rows, notes):
    out = [f"{about_text(found['machine'])}.", "", "| row | ours (min to max) | peer (min to max) | ratio | goal |",
           "|---|---|---|---|---|"]
    out += [f"| `{row.name}` | {figure(row.ours)} {row.unit}{loaded(row)} | {figure(row.peers)} | {ratio(row)} | {goal(row)} |"
            for row in rows]
    return "\n".join([*out, "", *(f"{note}." for note in notes), ""])


def into_document(piece):
    with open(DOCUMENT) as document:
        before, rest = document.read().split(BEGIN)
    _, after = rest.split(END)
    with open(DOCUMENT, "w") as document:
        document.write(before + BEGIN + piece + END + after)
