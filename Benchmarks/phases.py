"""Where the time of a build goes, by what Lichen says of itself (`--progress rawjson`, docs/progress.md)."""

import json
import os
import subprocess

import measure
import workloads

# Of a blob that takes noticeable time.
LARGE = 1 << 20


def run(bench):
    """Seconds of each phase, for every workload that was asked for."""
    rows = []
    for workload in workloads.WORKLOADS:
        if bench.options.only and workload.name not in bench.options.only:
            continue
        bench.say(f"{workload.name}, its phases")
        context = os.path.join(bench.work, "context")
        base = bench.base(workload.base)
        workload.make_context(context, base)
        lichen = bench.engines[-1]
        for mode in ("cold", "cached", "warm"):
            if mode == "warm":
                lichen.forget()
                bench.unpack_base(lichen, base)
            rows.append({"workload": workload.name, "mode": mode, **phases(bench, lichen, context, workload.name, mode)})
        lichen.forget()
        bench.trash.take(context)
    return rows


def phases(bench, lichen, context, name, mode):
    image = f"{bench.registry.host}/phases/{name}-{'cold' if mode == 'cached' else mode}:1"
    argv = [word if word != "plain" else "rawjson" for word in lichen.build(context, image)]
    os.sync()
    result = subprocess.run(argv, env=lichen.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise measure.Failure(f"{' '.join(argv)}: status {result.returncode}\n{result.stderr[-3000:]}")
    return split([json.loads(line) for line in result.stderr.splitlines()])


def split(events):
    def times(*names):
        return [event["time"] for event in events if event["event"] in names]

    end = events[-1]["time"]
    began = min(times("step-started", "step-cached"), default=end)
    solved = max(times("step-done", "step-cached"), default=began)
    packed = max(times("layer"), default=solved)
    downloads = [event["seconds"] for event in events if event["event"] == "transfer-done"
                 and event["direction"] == "download" and event["size"] >= LARGE]
    row = {"s": end, "before the first step": began, "download": sum(downloads)}
    for kind in ("COPY", "RUN"):
        done = [event["seconds"] for event in events if event["event"] == "step-done" and event["text"].startswith(kind)]
        row[f"{kind}s"] = sum(done)
    row |= {"all steps": solved - began, "packing after them": max(0, packed - solved), "to the end": end - max(packed, solved)}
    return {name: round(value, 3) for name, value in row.items()}
