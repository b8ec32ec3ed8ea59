"""The bounded benchmark of continuous integration: ratios that stay the same on a slower or busier machine, printed and not judged.

Start-up is counted in instructions where valgrind is there; all else is wall time by that of a fixed piece of work in the same run.
"""

import os
import re
import shutil
import subprocess
import time

import measure
import services


def run(bench):
    engine = bench.engines[-1]
    started = time.monotonic()
    print(f"{engine.version()}, {engine.binary}")
    print(f"instructions of `lichen version`: {instructions(engine.binary, bench.work)}")
    base = bench.registry.put_image("check", [services.busybox_layer(2000)])
    context = os.path.join(bench.work, "check")
    os.makedirs(os.path.join(context, "tree"))
    for number in range(2000):
        with open(os.path.join(context, "tree", str(number)), "wb") as file:
            file.write(b"%d\n" % number * 500)
    lines = [f"FROM {base}"] + [f"RUN touch /srv/{number}" for number in range(10)] + ["COPY tree /srv/tree", "RUN touch /srv/tree/0"]
    with open(os.path.join(context, "Dockerfile"), "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    argv = engine.build(context, f"{bench.registry.host}/check/image:1")
    print("| what | by the baseline, least of 3 |\n| --- | --- |")
    cold, cached = [], []
    for _ in range(3):
        work = baseline()
        engine.forget()
        cold.append(measure.run(argv, engine.program, bench.log).wall / work)
        cached.append(measure.run(argv, engine.program, bench.log).wall / work)
        if time.monotonic() - started > 40:
            break
    version = measure.starts([engine.binary, "version"], 20)[0] / baseline()
    for name, value in (("11 RUNs and a COPY of 2,000 files, cold", min(cold)), ("the same, cached", min(cached)),
                        ("lichen version", version)):
        print(f"| {name} | {value:.3f} |")


def baseline():
    """Seconds of something that every machine does: processes, files and arithmetic."""
    before = time.monotonic()
    subprocess.run(["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do /bin/true; done; "
                    "head -c 200000000 /dev/zero | sha256sum"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - before


def instructions(binary, directory):
    """How many `lichen version` executes, its libraries' loading among them: the same on each run, whatever else the machine does."""
    if not shutil.which("valgrind") or not shutil.which("strip"):
        return "valgrind is not there"
    # Debian's valgrind can't read the compiler's debug information.
    program, log = os.path.join(directory, "stripped"), os.path.join(directory, "callgrind")
    subprocess.run(["strip", "-o", program, binary], check=True)
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={log}.out", f"--log-file={log}", program,
                    "version"], check=False, capture_output=True)
    with open(log, encoding="utf-8", errors="replace") as file:
        found = re.search(r"Collected : (\d+)", file.read())
    return f"{int(found.group(1)):,}" if found else "valgrind can't run it"
