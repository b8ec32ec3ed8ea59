"""What is built: contexts, Dockerfiles, and the same work without a container, for the limit."""

import dataclasses
import os
import random
import shutil
import typing


@dataclasses.dataclass
class Workload:
    name: str
    base: str
    # A list of scripts for each stage. They work on the root file system at $ROOT: nothing in the container, and a copy of the
    # base where the limit is measured.
    stages: list
    # Makes the files for COPY in a directory.
    files: typing.Callable | None = None
    # What the scripts write and the image gets, below $ROOT.
    changed: tuple = ()
    # Scripts that only the container can run.
    needs_container: bool = False

    @property
    def modes(self):
        return ["cold", "cached"] + (["changed"] if self.files else []) + ["warm"]

    def dockerfile(self, base):
        if len(self.stages) == 1:
            copy = ["COPY tree /srv/tree"] if self.files else []
            lines = [f"FROM {base}"] + copy + [run_line(script) for script in self.stages[0]]
        else:
            lines = []
            for number, scripts in enumerate(self.stages):
                lines += [f"FROM {base} AS stage{number}"] + [run_line(script) for script in scripts]
            lines.append(f"FROM {base}")
            lines += [f"COPY --from=stage{number} /srv/stage{number} /srv/" for number in range(len(self.stages))]
        return "\n".join(lines) + "\n"

    def make_context(self, directory, base):
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        if self.files:
            self.files(os.path.join(directory, "tree"))
        with open(os.path.join(directory, "Dockerfile"), "w", encoding="ascii") as file:
            file.write(self.dockerfile(base))


def run_line(script):
    return "RUN " + script.replace("$ROOT", "")


def change_one_file(context, change):
    """Gives one of many files other bytes of the same length: those of `change`, which come once."""
    path = os.path.join(context, "tree/d017/f042")
    size = os.path.getsize(path)
    with open(path, "wb") as file:
        file.write((f"{change} ".encode() * size)[:size])


def make_tree(directory, count=30_000, size=250_000_000):
    """Files of text, 100 in a directory, that compress about 3 times; the same ones each time."""
    source = random.Random(1)
    words = ["".join(source.choices("etaoinshrdlucmfw", k=source.randint(2, 11))) for _ in range(6000)]
    pool = " ".join(source.choices(words, k=700_000)).encode()
    average = size // count
    for number in range(count):
        below = os.path.join(directory, f"d{number // 100:03}")
        if number % 100 == 0:
            os.makedirs(below)
        length = source.randint(average // 10, average * 19 // 10)
        start = source.randrange(len(pool) - length)
        with open(os.path.join(below, f"f{number % 100:03}"), "wb") as file:
            file.write(pool[start:start + length])


# About 1 GiB of programs, libraries and data, which compress a little more than twice.
FILL = ("mkdir -p $ROOT/srv/big; cd $ROOT/srv/big; total=0; number=0; "
        "unit=$(du -sk $ROOT/usr/lib/x86_64-linux-gnu | cut -f1); "
        "while [ $total -lt 1048576 ]; do cp -r $ROOT/usr/lib/x86_64-linux-gnu $number; "
        "number=$((number+1)); total=$((total+unit)); done")

# Some 4 s of CPU.
WORK = "awk 'BEGIN { for (i = 0; i < 50000000; i++) s += i % 7; print s }' > $ROOT/srv/stage"

INSTALL = ("apt-get update && apt-get install -y --no-install-recommends cowsay && apt-get clean "
           "&& rm -rf /var/lib/apt/lists/*")

TWENTY = [f"echo {number} > $ROOT/srv/step{number}" for number in range(20)]

WORKLOADS = [
    Workload("hello", "debian", [["echo hello > $ROOT/srv/hello"]]),
    Workload("steps20", "debian", [TWENTY]),
    Workload("steps20-bigbase", "bigbase", [TWENTY]),
    Workload("copytree", "debian", [["touch $ROOT/srv/tree/d003/f003"]], files=make_tree, needs_container=True),
    Workload("biglayer", "debian", [[FILL]], changed=("srv/big",)),
    Workload("multistage", "debian", [[WORK + str(number)] for number in range(4)]),
    Workload("apt", "debian", [[INSTALL]], needs_container=True),
]
