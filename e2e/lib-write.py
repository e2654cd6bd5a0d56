# SPDX-License-Identifier: Apache-2.0
"""Writers of the end-to-end tests; each prints nothing unless something is wrong."""
import errno
import os
import random
import sys
import time

BLOCK = 4096


def write_all(fd, data, offset):
    while data:
        n = os.pwrite(fd, data, offset)
        data = data[n:]
        offset += n


def stream(path, mebibytes, seed):
    """Writes so many MiB in a row that do not compress, then fsync."""
    source = random.Random(int(seed))
    piece = source.randbytes(1 << 20)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for i in range(int(mebibytes)):
        write_all(fd, i.to_bytes(8, "big") + piece[8:], i << 20)
    os.fsync(fd)
    os.close(fd)


def overwrite(paths, count, seed):
    """The same overwrites of distinct random blocks into every file of a comma list, then fsync."""
    source = random.Random(int(seed))
    fds = [os.open(p, os.O_WRONLY) for p in paths.split(",")]
    blocks = source.sample(range(os.fstat(fds[0]).st_size // BLOCK), int(count))
    for block in blocks:
        data = source.randbytes(BLOCK)
        for fd in fds:
            write_all(fd, data, block * BLOCK)
    for fd in fds:
        os.fsync(fd)
        os.close(fd)


def fsync_truth(mounted, served, times, seed):
    """After each fsync the server's disk must hold what was written before it."""
    source = random.Random(int(seed))
    size = 1 << 20
    model = bytearray()
    fd = os.open(mounted, os.O_WRONLY | os.O_CREAT, 0o644)
    right = 0
    for _ in range(int(times)):
        for _ in range(source.randrange(1, 4)):
            at = source.randrange(size)
            data = source.randbytes(source.randrange(1, 65536))
            if at > len(model):
                model.extend(bytes(at - len(model)))
            model[at:at + len(data)] = data
            write_all(fd, data, at)
        os.fsync(fd)
        with open(served, "rb") as file:
            right += file.read() == model
    os.close(fd)
    print(right)


def journal(path, served, seconds):
    """Appends numbered lines, with an fsync now and then, for so long; prints lines and fsyncs."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    until = time.monotonic() + float(seconds)
    lines = synced = 0
    while time.monotonic() < until:
        os.write(fd, b"%08d %s\n" % (lines, b"x" * 990))
        lines += 1
        if lines % 200 == 0:
            os.fsync(fd)
            synced += 1
            if os.stat(served).st_size < lines * 1000:
                sys.exit(f"fsync {synced} came back before line {lines} was on the server")
    os.fsync(fd)
    os.close(fd)
    print(lines, synced)


def report(*paths):
    """Opens every file twice and dirties it; prints what the next fsync of each open file says."""
    fds = [os.open(p, os.O_WRONLY) for p in paths for _ in range(2)]
    for fd in fds[::2]:
        write_all(fd, b"y" * (1 << 20), 0)
    print(" ".join(fsync_error(fd) for fd in fds))


def fsync_error(fd):
    try:
        os.fsync(fd)
    except OSError as e:
        return errno.errorcode[e.errno]
    return "ok"


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
