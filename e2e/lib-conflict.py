# SPDX-License-Identifier: Apache-2.0
"""Two mounts of one directory edit the same files, each file once on each mount, 0 to 3 s apart.

  names COUNT SERVER                         makes the files, empty, before anything is mounted
  run COUNT SEED PLAN SERVER MOUNT1 MOUNT2   edits; leaves in PLAN what was done
  judge PLAN SERVER                          once both are unmounted: what came of it

A file has one of three fates. Both had read the same version: then the server has one as the file
and the other beside it, each whole. Or the later one had opened the file after the earlier was
saved: then the file has both edits. Or the later one did not see the earlier: that may only be
where size and second of the two versions are the same, and the later had no open handle before."""
import errno
import json
import os
import random
import sys
import threading
import time

APART_MAX = 3.0
SIZES = [64, 5000, 300_000, 3_000_000]
AT_ONCE = 10


def change(kind, version, base, place):
    """The bytes of a version after the edit, and the writes that make it: (offset, bytes), size."""
    mark = version * 8
    if kind == "same":
        return base[:place] + mark + base[place + 8 :], [(place, mark)], None
    if kind == "ends":  # first and last bytes: a mixture shows at either end
        return mark + base[8:-8] + mark, [(0, mark), (len(base) - 8, mark)], None
    if kind == "whole":
        return version * len(base), [(0, version * len(base))], None
    if kind == "append":
        tail = version * 100
        return base + tail, [(len(base), tail)], None
    cut = len(base) // 2
    return mark + base[8:cut], [(0, mark)], cut


def plan(source, number):
    size = source.choice(SIZES)
    same = source.random() < 0.6
    kinds = ["same", "ends", "whole"] if same else ["append", "cut", "whole", "same"]
    apart = source.choice([0.0, source.uniform(0, 0.1), source.uniform(0, APART_MAX)])
    return {
        "name": f"f{number}",
        "size": size,
        "apart": apart,
        "age": source.choice([0.0, source.uniform(0, 2)]),
        "made_by": source.choice(["server", "0", "1"]),
        "sides": [
            {
                "kind": source.choice(kinds),
                "place": source.randrange(size // 8) * 8,
                "open": number % 4 != 3,  # an open handle of before the edit, or only what is cached
                "fsync": source.random() < 0.5,
                "delay": apart * side,
            }
            for side in range(2)
        ],
    }


def read_all(fd):
    data = b""
    while piece := os.pread(fd, 1 << 20, len(data)):
        data += piece
    return data


def fsync(fd):
    """Whether it went well; a conflict is told once."""
    try:
        os.fsync(fd)
        return True
    except OSError as e:
        if e.errno != errno.ESTALE:
            raise
        return False


def edit(run, side, path, start, together):
    s = run["sides"][side]
    fd = os.open(path, os.O_RDWR)
    read_all(fd)
    if not s["open"]:
        os.close(fd)
        fd = None
    together.wait()
    time.sleep(max(0, start[0] + s["delay"] - time.time()))
    if fd is None:
        fd = os.open(path, os.O_RDWR)
    seen = read_all(fd)
    s["saw"] = hash_of(seen)
    s["began"] = time.time()
    after, writes, cut = change(s["kind"], b"ab"[side : side + 1], seen, s["place"] % max(8, len(seen) - 8))
    s["made"] = hash_of(after)
    try:
        if cut is not None:
            os.ftruncate(fd, cut)
        for offset, data in writes:
            os.pwrite(fd, data, offset)
        if s["fsync"]:
            s["told"] = not fsync(fd)
            s["again"] = fsync(fd)
    except OSError as e:
        if e.errno != errno.ESTALE or cut is None:
            raise
        s["refused"] = True
    try:
        os.close(fd)
    except OSError as e:
        if e.errno != errno.ESTALE:
            raise
    s["ended"] = time.time()


def hash_of(data):
    import hashlib

    return hashlib.sha256(data).hexdigest()


def one(run, server, mounts, problems):
    try:
        name = run["name"]
        base = (b"%08d" % int(name[1:])) * (run["size"] // 8)
        place = server if run["made_by"] == "server" else mounts[int(run["made_by"])]
        fd = os.open(f"{place}/{name}", os.O_RDWR)
        os.pwrite(fd, base, 0)
        os.fsync(fd)
        os.close(fd)
        time.sleep(run["age"])
        run["base"] = hash_of(base)
        stat = os.stat(f"{server}/{name}")
        run["base_second"], run["base_size"] = int(stat.st_mtime), stat.st_size
        start = [0.0]
        together = threading.Barrier(2, action=lambda: start.__setitem__(0, time.time() + 0.05))
        sides = [
            threading.Thread(target=guarded, args=(edit, problems, run, i, f"{mounts[i]}/{name}", start, together))
            for i in range(2)
        ]
        for t in sides:
            t.start()
        for t in sides:
            t.join()
    except Exception as e:
        problems.append(f"{run['name']}: {e!r}")


def guarded(what, problems, run, side, path, start, together):
    try:
        what(run, side, path, start, together)
    except Exception as e:
        together.abort()
        problems.append(f"{run['name']} mount {side + 1}: {e!r}")


def names(count, server):
    for i in range(int(count)):
        open(f"{server}/f{i}", "xb").close()


def run(count, seed, plan_file, server, *mounts):
    source = random.Random(int(seed))
    runs = [plan(source, i) for i in range(int(count))]
    problems = []
    todo = list(reversed(runs))

    def worker():
        while todo:
            one(todo.pop(), server, mounts, problems)

    workers = [threading.Thread(target=worker) for _ in range(AT_ONCE)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    with open(plan_file, "w") as out:
        json.dump(runs, out)
    if problems:
        sys.exit("\n".join(problems))


def judge(plan_file, server):
    runs = json.load(open(plan_file))
    names = os.listdir(server)
    counts = {"found": 0, "in turn": 0, "undetectable": 0}
    wrong = []
    for r in runs:
        a, b = r["sides"]
        name = r["name"]
        path = f"{server}/{name}"
        now = hash_of(open(path, "rb").read())
        copies = [n for n in names if n.startswith(name + ".conflict-")]
        beside = [hash_of(open(f"{server}/{n}", "rb").read()) for n in copies]
        wanted = {s["made"] for s in (a, b) if "refused" not in s}
        if any("refused" in s for s in (a, b)) and now in wanted:
            fate = "found"
        elif {now, *beside} == wanted and len(beside) == 1:
            fate = "found"
        elif not copies and (seen_by(b, a, now) or seen_by(a, b, now)):
            fate = "in turn"
        elif not copies and not any(s["open"] for s in (a, b)) and is_same_version(r, a, b):
            fate = "undetectable"
        else:
            wrong.append(f"{json.dumps(r)}: the file is {now}, beside it {dict(zip(copies, beside))}")
            continue
        counts[fate] += 1
    print(", ".join(f"{n} {fate}" for fate, n in counts.items()))
    if wrong:
        sys.exit(f"{len(wrong)} of {len(runs)} wrong:\n" + "\n".join(wrong))


def seen_by(later, earlier, now):
    """Whether the later edit was made to what the earlier one had saved."""
    return later["saw"] == earlier["made"] and now == later["made"]


def is_same_version(r, a, b):
    stays = all(s["kind"] in ("same", "ends", "whole") for s in (a, b))
    return stays and int(a["began"]) <= r["base_second"] + 1


if __name__ == "__main__":
    {"names": names, "run": run, "judge": judge}[sys.argv[1]](*sys.argv[2:])
