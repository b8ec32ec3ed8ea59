"""Curves: what a build costs as one thing in it grows. On a small base, without buildah."""

import os
import shutil

import measure
import services


def run(bench):
    curves = Curves(bench)
    return {
        "files in the base: 20 RUNs that change one file each": curves.base_files([1_000, 10_000, 100_000, 1_000_000]),
        "files that a RUN changes": curves.changed_files([1_000, 10_000, 100_000, 1_000_000]),
        "files that a COPY takes, and a RUN on them": curves.copied_files([1_000, 10_000, 100_000]),
        "layers of the base: 10 RUNs": curves.layers([1, 10, 50, 100]),
        "RUNs": curves.runs([1, 10, 50, 100, 200]),
    }


class Curves:
    def __init__(self, bench):
        self.bench, self.engine = bench, bench.engines[-1]
        self.context = os.path.join(bench.work, "curve")
        self.layer = services.busybox_layer()

    def build(self, name, lines):
        """Seconds with an empty store, with the base's files there, and with everything known."""
        self.write(lines)
        argv = self.engine.build(self.context, f"{self.bench.registry.host}/curve/{name}:1")
        cold = self.measure(argv, fresh=True)
        cached = self.measure(argv)
        self.engine.forget()
        self.write(lines[:1] + ["RUN true"])
        self.measure(argv)
        self.write(lines)
        warm = self.measure(argv)
        self.engine.forget()
        return {"cold s": round(cold.wall, 2), "warm s": round(warm.wall, 2), "warm cpu s": round(warm.cpu, 2),
                "cached s": round(cached.wall, 3), "peak MiB": max(cold.memory, warm.memory) >> 20}

    def write(self, lines):
        os.makedirs(self.context, exist_ok=True)
        with open(os.path.join(self.context, "Dockerfile"), "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")

    def measure(self, argv, fresh=False):
        if fresh:
            self.engine.forget()
        return measure.run(argv, self.engine.program, self.bench.log, self.engine.environment)

    def base(self, name, layers):
        return "FROM " + self.bench.registry.put_image(f"curve/{name}", layers)

    def base_files(self, counts):
        points = []
        for count in counts:
            start = self.base(f"base{count}", [services.busybox_layer(count)])
            point = self.build(f"files{count}", [start] + [f"RUN echo {n} > /srv/new{n}" for n in range(20)])
            points.append({"files": count, **point, "warm ms a RUN": round(point["warm s"] * 1000 / 20, 1)})
        return points

    def changed_files(self, counts):
        start = self.base("small", [self.layer])
        script = "mkdir /srv/d$d; for f in $(seq 100); do echo $f > /srv/d$d/$f; done"
        points = []
        for count in counts:
            line = f"RUN for d in $(seq {count // 100}); do {script}; done"
            point = self.build(f"change{count}", [start, line])
            points.append({"files": count, **point, "warm µs a file": round(point["warm s"] * 1e6 / count)})
        return points

    def copied_files(self, counts):
        start = self.base("small", [self.layer])
        points = []
        for count in counts:
            tree = os.path.join(self.context, "tree")
            for number in range(count):
                below = os.path.join(tree, f"d{number // 100}")
                if number % 100 == 0:
                    os.makedirs(below)
                with open(os.path.join(below, f"f{number % 100}"), "w", encoding="ascii") as file:
                    file.write(f"{number}\n")
            point = self.build(f"copy{count}", [start, "COPY tree /srv/tree", "RUN touch /srv/tree/d3/f3"])
            shutil.rmtree(self.context)
            points.append({"files": count, **point, "warm µs a file": round(point["warm s"] * 1e6 / count)})
        return points

    def layers(self, counts):
        points = []
        for count in counts:
            small = [services.busybox_layer(1 + number) for number in range(count - 1)]
            start = self.base(f"layers{count}", [self.layer] + small)
            point = self.build(f"on-layers{count}", [start] + [f"RUN echo {n} > /srv/new{n}" for n in range(10)])
            points.append({"layers": count, **point})
        return points

    def runs(self, counts):
        start = self.base("small", [self.layer])
        points = []
        for count in counts:
            point = self.build(f"runs{count}", [start] + [f"RUN echo {n} > /srv/new{n}" for n in range(count)])
            points.append({"RUNs": count, **point, "warm ms a RUN": round(point["warm s"] * 1000 / count, 1)})
        return points
