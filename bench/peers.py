# SPDX-License-Identifier: Apache-2.0
"""The jobs of bench/peers, run in a mounted directory, and the clock on them."""
import json
import os
import random
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request

BLOCK = 4096
MEBI = 1 << 20
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 900


def write_all(fd, data, offset):
    while data:
        n = os.pwrite(fd, data, offset)
        data = data[n:]
        offset += n


def large(top, mebibytes):
    piece = random.Random(1).randbytes(MEBI)
    fd = os.open(f"{top}/large", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for i in range(mebibytes):
        write_all(fd, i.to_bytes(8, "big") + piece[8:], i * MEBI)
    os.fsync(fd)
    os.close(fd)


def small(top, files):
    source = random.Random(2)
    os.mkdir(f"{top}/small")
    for i in range(files):
        with open(f"{top}/small/{i:05}", "wb", buffering=0) as file:
            file.write(source.randbytes(BLOCK))


def overwrites(top, count):
    source = random.Random(3)
    fd = os.open(f"{top}/large", os.O_WRONLY)
    blocks = source.sample(range(os.fstat(fd).st_size // BLOCK), count)
    for block in blocks:
        write_all(fd, source.randbytes(BLOCK), block * BLOCK)
    os.fsync(fd)
    os.close(fd)


def make_tree(archive, files):
    """Packs a git checkout of so many files, 1 to 20 KiB each, a hundred in a directory."""
    source = random.Random(4)
    with tempfile.TemporaryDirectory() as place:
        top = f"{place}/tree"
        for i in range(int(files)):
            directory = f"{top}/module{i // 1000}/package{i // 100}"
            os.makedirs(directory, exist_ok=True)
            with open(f"{directory}/source{i}.txt", "w", encoding="ascii") as file:
                for _ in range(source.randint(20, 400)):
                    file.write(f"{source.getrandbits(184):x}\n")
        git = ["git", "-C", top, "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        subprocess.run(["git", "init", "-q", top], check=True)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-qm", "All of it"], check=True)
        subprocess.run(["tar", "-C", place, "-cf", archive, "tree"], check=True)


def tree(top, archive):
    subprocess.run(["tar", "-C", top, "--no-same-owner", "-xf", archive], check=True)
    # Without its locks it does not write the index, which would differ from one tool to another.
    status = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", f"{top}/tree", "status", "--porcelain"],
        check=True,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        capture_output=True,
    )
    if status.stdout:
        sys.exit(f"git sees changes: {status.stdout[:500]}")


def small_are_served(served, files):
    try:
        with os.scandir(f"{served}/small") as entries:
            return sum(e.stat().st_size == BLOCK for e in entries) == int(files)
    except OSError:
        return False


def tree_is_served(served, archive):
    with tarfile.open(archive) as packed:
        files = [m for m in packed if m.isfile()]
    try:
        return all(os.stat(f"{served}/{m.name}").st_size == m.size for m in files)
    except OSError:
        return False


def await_queue(port):
    """rclone answers fsync and close from its cache: what counts is its upload queue."""
    until = time.monotonic() + PATIENCE_SECONDS
    # The kernel tells of a close after close has returned, so the queue is first waited for.
    began = False
    while time.monotonic() < until:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/vfs/stats", b"", method="POST")
        with urllib.request.urlopen(request) as answer:
            cache = json.load(answer).get("diskCache", {})
        busy = cache.get("uploadsQueued") or cache.get("uploadsInProgress")
        if began and not busy:
            return
        began = began or busy
        time.sleep(POLL_SECONDS)
    sys.exit("rclone's queue does not become empty")


def run(name, size, top):
    if name == "tree":
        tree(top, size)
    else:
        {"large": large, "small": small, "overwrites": overwrites}[name](top, int(size))


def job(name, size, top, served, queue):
    """Prints seconds until the application went on, and until all was on the server."""
    start = time.monotonic()
    run(name, size, top)
    returned = time.monotonic() - start
    if queue:
        await_queue(queue)
    is_served = {"small": small_are_served, "tree": tree_is_served}.get(name)
    if is_served:
        while not is_served(served, size):
            if time.monotonic() - start > PATIENCE_SECONDS:
                sys.exit("not all files came to the server")
            time.sleep(POLL_SECONDS)
    print(f"{returned:.2f} {time.monotonic() - start:.2f}")


def prepare(top, mebibytes):
    """The file that is overwritten, made on a disk."""
    large(top, int(mebibytes))


def expect(name, size, top):
    """The same job on a local disk, to compare with."""
    run(name, size, top)


def sink():
    """Listens, prints its port, and answers each connection's last byte with one."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def take(connection):
        with connection:
            while connection.recv(MEBI):
                pass
            connection.sendall(b".")

    while True:
        threading.Thread(target=take, args=(listener.accept()[0],), daemon=True).start()


def copy(port, mebibytes):
    """Prints the seconds that so many MiB take over one TCP connection."""
    piece = bytes(MEBI)
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        for _ in range(int(mebibytes)):
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    print(f"{time.monotonic() - start:.2f}")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
