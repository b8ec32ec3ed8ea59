"""Measures Lichen beside Debian's buildah and the physical limit. scripts/bench sets up what it needs and runs it."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile

import check
import engines
import limits
import measure
import phases
import report
import scaling
import services
import workloads


def arguments():
    names = [workload.name for workload in workloads.WORKLOADS]
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=names, help="this workload; may be repeated")
    parser.add_argument("--runs", type=int, default=3, help="how often each is measured; figures are medians (3)")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON instead of tables")
    parser.add_argument("--no-peer", action="store_true", help="leave buildah out")
    parser.add_argument("--scaling", action="store_true", help="curves: files in base and change, layers, RUNs")
    parser.add_argument("--phases", action="store_true", help="what each phase of a build takes, once")
    parser.add_argument("--check", action="store_true", help="under a minute, for CI: ratios, and never a failure")
    parser.add_argument("--lichen", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--limit", required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


class Bench:
    """One run of the command: a registry, the engines, and a directory that goes with it."""

    def __init__(self, options, work, cache):
        self.options, self.work, self.cache = options, work, cache
        self.log = os.path.join(work, "log")
        self.registry = services.Registry(os.path.join(work, "registry"))
        self.trash = engines.Trash(work)
        self.limits = limits.Limits(options.limit, work, self.registry, self.trash)
        self.engines = [engines.Lichen(options.lichen, work, self.trash)]
        if not options.no_peer:
            self.engines.insert(0, engines.Buildah(work, self.trash))
        self.bases = {}

    def close(self):
        self.registry.close()

    def base(self, name):
        if name not in self.bases:
            with open(services.base_layer(name, self.cache), "rb") as layer:
                self.bases[name] = self.registry.put_image(f"base/{name}", [layer.read()])
        return self.bases[name]

    def say(self, text):
        if not self.options.json:
            print(text, file=sys.stderr, flush=True)

    def workload(self, workload):
        """All figures of a workload: builders and limit one after the other, so often as asked for."""
        context = os.path.join(self.work, "context")
        base = self.base(workload.base)
        workload.make_context(context, base)
        figures = {}
        for number in range(1, self.options.runs + 1):
            self.say(f"{workload.name}, {number} of {self.options.runs}")
            layer = services.base_layer(workload.base, self.cache)
            for mode, figure in self.limits.measure(workload, layer, f"base/{workload.base}", context).items():
                figures.setdefault((mode, "limit"), []).append(figure)
            for engine in self.engines:
                for mode, figure in self.one_round(engine, workload, context, base, number):
                    figures.setdefault((mode, engine.name), []).append(figure)
            for engine in self.engines:
                engine.forget()
            self.trash.empty_if_full()
        self.trash.take(context)
        return figures

    def one_round(self, engine, workload, context, base, number):
        """Each mode once, by one engine. Repositories are new where an image is: every byte of it is sent."""
        def build(mode, repository):
            os.sync()
            image = f"{self.registry.host}/{engine.name}/{workload.name}-{repository}:{number}"
            argv = engine.build(context, image)
            result = measure.run(argv, engine.program, self.log, engine.environment)
            size = self.registry.image_size(f"{engine.name}/{workload.name}-{repository}", number)
            return mode, {"wall": result.wall, "cpu": result.cpu, "memory": result.memory, "size": size}

        engine.forget()
        yield build("cold", "cold")
        yield build("cached", "cold")
        if workload.files:
            workloads.change_one_file(context, f"changed for {engine.name}, {number}")
            yield build("changed", "changed")
        engine.forget()
        self.unpack_base(engine, base)
        yield build("warm", "warm")

    def unpack_base(self, engine, base):
        """A store that has the base with its files, and nothing else."""
        directory = os.path.join(self.work, "base-only")
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, "Dockerfile"), "w", encoding="ascii") as file:
            file.write(f"FROM {base}\nRUN true\n")
        argv = engine.build(directory, f"{self.registry.host}/{engine.name}/base-only:1")
        measure.run(argv, engine.program, self.log, engine.environment)

    def start_up(self):
        """What every command pays: minimum and median of 50 starts."""
        version = measure.starts([self.options.lichen, "version"], 50)
        context = os.path.join(self.work, "start")
        self.base("debian")
        digest = self.registry.digest("base/debian", "1")
        workloads.WORKLOADS[0].make_context(context, f"{self.registry.host}/base/debian@{digest}")
        lichen = self.engines[-1]
        image = f"{self.registry.host}/lichen/start:1"
        argv = lichen.build(context, image)
        measure.run(argv, lichen.program, self.log)
        local = [word for word in argv if word not in ("--push",)]
        lichen_local = measure.starts(local, 20)
        pushed = measure.starts(argv, 20)
        lichen.forget()
        return {"lichen version": version, "hello, cached, FROM by digest": lichen_local,
                "the same, and pushed": pushed}


def main():
    options = arguments()
    # Whoever ends a long run wants no registry and no stores to stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    measure.adopt_orphans()
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "lichen-bench")
    os.makedirs(cache, exist_ok=True)
    # Beside the bases, not in /tmp: it has to carry an overlay.
    work = tempfile.mkdtemp(prefix="work.", dir=cache)
    bench = Bench(options, work, cache)
    try:
        if options.check:
            check.run(bench)
        elif options.phases:
            result = phases.run(bench)
            print(json.dumps(result, indent=1) if options.json else report.rows(result))
        elif options.scaling:
            result = scaling.run(bench)
            print(json.dumps(result, indent=1) if options.json else report.curves(result))
        else:
            print_tables(bench)
    finally:
        bench.close()
        engines.remove(work)


def print_tables(bench):
    chosen = [one for one in workloads.WORKLOADS if not bench.options.only or one.name in bench.options.only]
    results = {}
    for workload in chosen:
        results[workload.name] = bench.workload(workload)
        # A long run that is ended in its middle has still said something.
        bench.say(report.table({workload.name: results[workload.name]}))
    start = bench.start_up()
    versions = [engine.version() for engine in bench.engines]
    if bench.options.json:
        print(json.dumps(report.document(versions, results, start), indent=1))
    else:
        print(report.text(versions, bench.options.runs, results, start))


if __name__ == "__main__":
    try:
        main()
    except (measure.Failure, RuntimeError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
