"""A network namespace with an internet of its own, and a command in it.

    unshare --map-root-user --map-auto --mount --net --pid --fork --mount-proc \\
        python3 small_internet.py [--hide FILE]... [--kill-when NAME] COMMAND...

Here is 10.77.0.2, with a route to everywhere. Servers say a word to whoever connects to them: `outside` at 10.88.0.1:80, `loopback`
at 127.0.0.1:8080, `credentials` at 169.254.169.254:80. The name server of /etc/resolv.conf, which only this host can reach, knows
every name, as 10.88.0.1.

After the command's end, the line `left` names the processes that are still there. --hide: the file can't be executed. --kill-when:
the command gets SIGKILL as soon as a process of this name runs.
"""

import os
import socket
import subprocess
import sys
import threading
import time

NAME_SERVER = "127.0.0.1"
WORDS = {("10.88.0.1", 80): b"outside", ("127.0.0.1", 8080): b"loopback", ("169.254.169.254", 80): b"credentials"}


def run(line):
    subprocess.run(line.split(), check=True)


def set_up(hidden):
    for line in (
        "ip link set lo up",
        "ip link add here type veth peer name there",
        "ip addr add 10.77.0.2/24 dev here",
        "ip addr add 10.88.0.1/32 dev there",
        "ip addr add 169.254.169.254/32 dev there",
        "ip link set here up",
        "ip link set there up",
        "ip route add default via 10.77.0.1 dev here",
    ):
        run(line)
    run("mount -t tmpfs none /mnt")
    with open("/mnt/resolv.conf", "w") as copy:
        copy.write(f"search small.test\nnameserver {NAME_SERVER}\n")
    run("mount --bind /mnt/resolv.conf /etc/resolv.conf")
    for path in hidden:
        run(f"mount --bind /dev/null {os.path.realpath(path)}")


def answer_connections(server, word):
    while True:
        connection, _ = server.accept()
        with connection:
            connection.sendall(word)


def answer_questions(server):
    while True:
        question, sender = server.recvfrom(512)
        end = question.index(b"\0", 12) + 5
        records = b""
        if question[end - 4 : end - 2] == b"\0\1":
            records = b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4" + socket.inet_aton("10.88.0.1")
        head = question[:2] + b"\x81\x80\0\1\0" + (b"\1" if records else b"\0") + b"\0\0\0\0"
        server.sendto(head + question[12:end] + records, sender)


def serve():
    for place, word in WORDS.items():
        server = socket.create_server(place)
        threading.Thread(target=answer_connections, args=(server, word), daemon=True).start()
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind((NAME_SERVER, 53))
    threading.Thread(target=answer_questions, args=(names,), daemon=True).start()


def processes():
    names = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        if int(number) == os.getpid():
            continue
        try:
            with open(f"/proc/{number}/comm") as file:
                names.append(file.read().strip())
        except OSError:
            pass
    return names


def left():
    """What is not gone after a minute; as process 1 we reap what nobody else does."""
    end = time.monotonic() + 60
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        names = processes()
        if not names or time.monotonic() > end:
            return names
        time.sleep(0.02)


def main(words):
    hidden, awaited = [], None
    while words[0] in ("--hide", "--kill-when"):
        option, value, *words = words
        if option == "--hide":
            hidden.append(value)
        else:
            awaited = value
    set_up(hidden)
    serve()
    command = subprocess.Popen(words)
    while awaited and awaited not in processes() and command.poll() is None:
        time.sleep(0.02)
    if awaited:
        print("seen", *processes(), flush=True)
        command.kill()
    status = command.wait()
    print("left", *left(), flush=True)
    sys.exit(status if status >= 0 else 128 - status)


main(sys.argv[1:])
