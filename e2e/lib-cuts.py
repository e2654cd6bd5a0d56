# SPDX-License-Identifier: Apache-2.0
"""Files that are cut and grow again on the server, and are read through a mount meanwhile.

  names SERVER               makes the files
  run SERVER MOUNT SECONDS   changes and reads them

No version of a file has a zero in it, nor has what is between two of them. The kernel shows some
all the same where it hears of a cut in the very moment in which it is told something else of the
file: once in some hundred cuts, against once in eight before anything was done about it."""
import os
import random
import sys
import threading
import time

FILES = 4
SIZE_MIN, SIZE_MAX = 300_000, 3_000_000
READ_BYTES = 1 << 20
PAUSE_MAX_SECONDS = 0.4
CUTS_PER_ZEROS_MIN = 30


def change(server, number, end, counts):
    source = random.Random(number)
    fd = os.open(f"{server}/f{number}", os.O_RDWR)
    while time.time() < end:
        size, before = source.randrange(SIZE_MIN, SIZE_MAX), os.fstat(fd).st_size
        if size < before:
            os.ftruncate(fd, size)
            counts["cuts"] += 1
        else:
            os.pwrite(fd, b"%c" % source.randrange(1, 256) * (size - before), before)
        time.sleep(source.uniform(0, PAUSE_MAX_SECONDS))


def read(mount, number, end, counts, zeros):
    last = 0
    while time.time() < end:
        fd = os.open(f"{mount}/f{number}", os.O_RDONLY)
        at = 0
        while piece := os.pread(fd, READ_BYTES, at):
            if 0 in piece:
                zeros.append(f"f{number} has zeros from {at + piece.find(0)} on, in a read of {len(piece)}")
            at += len(piece)
        os.close(fd)
        counts["reads"] += 1
        counts["found shorter"] += at < last
        last = at


def run(server, mount, seconds):
    end = time.time() + float(seconds)
    zeros = []
    counts = {"cuts": 0, "reads": 0, "found shorter": 0}
    threads = []
    for number in range(FILES):
        threads.append(threading.Thread(target=change, args=(server, number, end, counts)))
        threads.append(threading.Thread(target=read, args=(mount, number, end, counts, zeros)))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(", ".join(f"{n} {what}" for what, n in counts.items()) + f", {len(zeros)} reads of zeros")
    if len(zeros) * CUTS_PER_ZEROS_MIN > counts["found shorter"]:
        sys.exit("\n".join(zeros))
    if not counts["found shorter"]:
        sys.exit("no file was found shorter")


def names(server):
    for number in range(FILES):
        with open(f"{server}/f{number}", "xb") as out:
            out.write(b"x")


if __name__ == "__main__":
    {"names": names, "run": run}[sys.argv[1]](*sys.argv[2:])
