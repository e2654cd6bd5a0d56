// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsException;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RenameMode;
import io.netfs4j.testing.sim.CrashTree.Directory;
import io.netfs4j.testing.sim.CrashTree.Link;
import io.netfs4j.testing.sim.CrashTree.Named;
import io.netfs4j.testing.sim.CrashTree.Thing;
import io.netfs4j.vfs.AllocateMode;
import io.netfs4j.vfs.CreatedFile;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * An application that works in a directory of its own, one operation after the other, in each life
 * of the mount. It knows what it was told, and judges what it finds.
 */
final class CrashApp {
    private static final int FILES_MAX = 8;
    private static final int DIRECTORIES_MAX = 4;
    private static final int LINKS_MAX = 2;
    private static final int OPEN_MAX = 4;
    private static final int BYTES_MAX = 300_000;

    /** What it does. */
    enum Op {
        CREATE,
        OPEN,
        WRITE,
        APPEND,
        TRUNCATE,
        ALLOCATE,
        TIMES,
        READ,
        FSYNC,
        FSYNC_DIRECTORY,
        CLOSE,
        RENAME,
        EXCHANGE,
        UNLINK,
        MKDIR,
        RMDIR,
        SYMLINK,
        PAUSE
    }

    /** How often each is tried, as {@link Op} has them. */
    private static final int[] WEIGHTS = {12, 6, 24, 8, 5, 3, 4, 6, 8, 3, 7, 8, 2, 5, 3, 1, 1, 4};

    /** Those that all servers know. */
    private static final AllocateMode[] MODES = {
        AllocateMode.PUNCH_HOLE, AllocateMode.ZERO_RANGE, AllocateMode.ZERO_RANGE_KEEP_SIZE
    };

    private record Open(CrashContent content, OpenFile file, boolean appends) {}

    final int number;
    final CrashTree tree = new CrashTree();
    private final CrashWorld world;
    private final RandomGenerator random;
    private final List<Open> opened = new ArrayList<>();
    private int filesMade;
    private int written;

    CrashApp(CrashWorld world, int number, RandomGenerator random) {
        this.world = world;
        this.number = number;
        this.random = random;
    }

    String home() {
        return "a" + number;
    }

    /** The process that it ran on is gone. */
    void mountDied() {
        opened.clear();
    }

    /** Looks at everything: no less than what was acknowledged is there. */
    void look(boolean powerLost, String when) {
        String who = "application " + number + " " + when;
        tree.settle(new CrashEyes(world, home()).all(), powerLost, who);
    }

    /**
     * As {@link #look}, in a new life. What shows then is what stays, but for writes past the page
     * cache, of which more may show until the file is saved.
     */
    void lookAgain(boolean powerLost, String when) {
        String who = "application " + number + " " + when;
        CrashEyes eyes = new CrashEyes(world, home());
        TreeMap<String, CrashTree.Seen> seen = eyes.all();
        if (!tree.mayShowMore()) {
            tree.settle(seen, powerLost, who);
            return;
        }
        tree.check(seen, powerLost, who);
        seen.forEach((path, found) -> {
            if (found.thing() == null) {
                eyes.save(path);
            }
        });
        tree.settle(eyes.all(), powerLost, who + " and saved");
    }

    /** Does one operation; returns whether there was something to do. */
    boolean operate() {
        Op op = draw();
        boolean done = false;
        world.trace.event(world.loop.nanoTime(), "begin " + op, number, 0, 0);
        try {
            done = operate(op);
            if (done) {
                tree.done();
                tree.names().values().forEach(CrashApp::done);
                opened.forEach(o -> o.content.done());
                lookAtLoose();
            }
        } catch (FsException e) {
            world.requireExcused(e, op);
            world.trace.event(world.loop.nanoTime(), op + " fails", number, 0, 0);
            opened.forEach(o -> o.content.failed());
            tree.names().values().forEach(CrashApp::failed);
            lookAtLoose();
            look(false, "after " + op + " failed");
        }
        world.trace.event(world.loop.nanoTime(), op.name(), number, done ? 1 : 0, 0);
        return done;
    }

    /** What shows of a change that failed counts as if it had been made, once that is saved. */
    private void lookAtLoose() {
        opened.forEach(this::lookIfLoose);
    }

    private void lookIfLoose(Open open) {
        CrashContent content = open.content;
        if (content.isLoose()) {
            byte[] seen = new CrashEyes(world, home()).bytes(open.file, BYTES_MAX + 1);
            if (!content.mayBe(seen, false)) {
                throw new Violation("I1", "after a failure " + content.difference(seen));
            }
            content.settle(seen, null, false);
        }
    }

    private static void done(Thing thing) {
        if (thing instanceof Named file) {
            file.content().done();
        }
    }

    private static void failed(Thing thing) {
        if (thing instanceof Named file) {
            file.content().failed();
        }
    }

    private Op draw() {
        int at = random.nextInt(Arrays.stream(WEIGHTS).sum());
        int i = 0;
        while (at >= WEIGHTS[i]) {
            at -= WEIGHTS[i++];
        }
        return Op.values()[i];
    }

    private boolean operate(Op op) throws FsException {
        return switch (op) {
            case CREATE -> create();
            case OPEN -> open();
            case WRITE -> write(false);
            case APPEND -> write(true);
            case TRUNCATE -> truncate();
            case ALLOCATE -> allocate();
            case TIMES -> setTimes();
            case READ -> read();
            case FSYNC -> fsync();
            case FSYNC_DIRECTORY -> fsyncDirectory();
            case CLOSE -> close();
            case RENAME -> rename();
            case EXCHANGE -> exchange();
            case UNLINK -> unlink();
            case MKDIR -> makeDirectory();
            case RMDIR -> removeDirectory();
            case SYMLINK -> symlink();
            case PAUSE -> pause();
        };
    }

    // ---- names --------------------------------------------------------------------------------

    private boolean create() throws FsException {
        String path = newOrOld("f", FILES_MAX);
        Thing there = tree.names().get(path);
        if (opened.size() >= OPEN_MAX || (there != null && !(there instanceof Named))) {
            return false;
        }
        boolean truncate = random.nextInt(3) == 0;
        boolean exclusive = there == null && random.nextInt(4) == 0;
        boolean append = random.nextInt(5) == 0;
        OpenFlags flags =
                new OpenFlags(Access.READ_WRITE, append, truncate, exclusive, false, false, false);
        if (there instanceof Named old) {
            if (truncate) {
                old.content().beginWhole(new byte[0]);
            }
            opened.add(new Open(old.content(), openAt(path, flags), append));
            return true;
        }
        CrashContent content = new CrashContent(++filesMade);
        tree.begin().put(path, new Named(content));
        CreatedFile made = in(path, (ino, name) -> vfs().create(ino, name, 0644, flags));
        vfs().forget(java.util.Objects.requireNonNull(made.entry().attributes()).ino(), 1);
        opened.add(new Open(content, made.file(), append));
        return true;
    }

    private OpenFile openAt(String path, OpenFlags flags) throws FsException {
        return world.at(home() + "/" + path, ino -> vfs().open(ino, flags));
    }

    private boolean open() throws FsException {
        String path = drawn(Named.class);
        if (path.isEmpty() || opened.size() >= OPEN_MAX) {
            return false;
        }
        opened.add(new Open(content(path), openAt(path, OpenFlags.READ_WRITE), false));
        return true;
    }

    private boolean rename() throws FsException {
        String from = drawn(Thing.class);
        if (from.isEmpty()) {
            return false;
        }
        Thing moving = tree.names().get(from);
        String to = newOrOld("f", Integer.MAX_VALUE);
        Thing there = tree.names().get(to);
        boolean fits =
                there == null || (there instanceof Directory) == (moving instanceof Directory);
        if (!fits
                || to.equals(from)
                || to.startsWith(from + "/")
                || from.startsWith(to + "/")
                || (there instanceof Directory && !isEmpty(to))) {
            return false;
        }
        CrashTree.move(tree.begin(), from, to);
        moveOnServer(from, to, RenameMode.REPLACE);
        setNamed(moving);
        return true;
    }

    private boolean exchange() throws FsException {
        String one = drawn(Thing.class);
        String other = drawn(Thing.class);
        if (one.isEmpty()
                || one.equals(other)
                || other.startsWith(one + "/")
                || one.startsWith(other + "/")) {
            return false;
        }
        CrashTree.exchange(tree.begin(), one, other);
        moveOnServer(one, other, RenameMode.EXCHANGE);
        setNamed(tree.names().get(one));
        setNamed(tree.names().get(other));
        return true;
    }

    private void moveOnServer(String from, String to, RenameMode mode) throws FsException {
        in(
                from,
                (ino, name) ->
                        in(
                                to,
                                (newIno, newName) -> {
                                    vfs().rename(ino, name, newIno, newName, mode);
                                    return true;
                                }));
    }

    private static void setNamed(@org.jspecify.annotations.Nullable Thing thing) {
        if (thing != null) {
            thing.setNamed();
        }
    }

    private boolean unlink() throws FsException {
        String path = drawn(Named.class);
        if (path.isEmpty()) {
            return false;
        }
        tree.beginRemoval(path, world.hasOnServer(home() + "/" + path));
        in(
                path,
                (ino, name) -> {
                    vfs().unlink(ino, name);
                    return true;
                });
        return true;
    }

    private boolean makeDirectory() throws FsException {
        String path = newOrOld("d", DIRECTORIES_MAX);
        if (path.indexOf('/') != path.lastIndexOf('/') || tree.names().containsKey(path)) {
            return false;
        }
        tree.begin().put(path, new Directory());
        in(path, (ino, name) -> forgotten(vfs().makeDirectory(ino, name, 0755)));
        return true;
    }

    private boolean forgotten(io.netfs4j.vfs.Entry entry) {
        vfs().forget(java.util.Objects.requireNonNull(entry.attributes()).ino(), 1);
        return true;
    }

    private boolean removeDirectory() throws FsException {
        String path = drawn(Directory.class);
        if (path.isEmpty() || !isEmpty(path)) {
            return false;
        }
        tree.beginRemoval(path, world.hasOnServer(home() + "/" + path));
        in(
                path,
                (ino, name) -> {
                    vfs().removeDirectory(ino, name);
                    return true;
                });
        return true;
    }

    private boolean symlink() throws FsException {
        String path = newOrOld("l", LINKS_MAX);
        if (tree.names().containsKey(path)) {
            return false;
        }
        String target = "to/" + ++filesMade;
        tree.begin().put(path, new Link(target));
        in(path, (ino, name) -> forgotten(vfs().makeSymlink(ino, name, target)));
        return true;
    }

    // ---- contents -----------------------------------------------------------------------------

    private boolean write(boolean append) throws FsException {
        Open open = drawnOpen();
        if (open == null) {
            return false;
        }
        CrashContent content = open.content;
        int size = content.now.length;
        boolean atEnd = append || open.appends;
        int count = 1 + random.nextInt(random.nextInt(8) == 0 ? 100_000 : 6_000);
        int position = atEnd ? size : random.nextInt(size + (random.nextInt(4) == 0 ? 9_000 : 1));
        count = Math.min(count, BYTES_MAX - position);
        if (count <= 0) {
            return false;
        }
        byte[] data = new byte[count];
        new Chance(++written, number + 1L).nextBytes(data);
        content.beginWrite(position, data, world.isUnbuffered());
        world.trace.event(
                world.loop.nanoTime(), "writes", content.number, position, position + count);
        ByteBuffer source = ByteBuffer.wrap(data);
        if (random.nextBoolean() && vfs().tryWrite(open.file, position, source)) {
            return true;
        }
        int done = vfs().write(open.file, position, source);
        if (done < count) {
            content.doneShort(position, data, done);
        }
        return true;
    }

    private boolean truncate() throws FsException {
        String path = drawn(Named.class);
        if (path.isEmpty()) {
            return false;
        }
        CrashContent content = content(path);
        int most = Math.min(BYTES_MAX, content.now.length + (random.nextBoolean() ? 0 : 5_000));
        int size = random.nextInt(most + 1);
        content.beginWhole(Arrays.copyOf(content.now, size));
        world.trace.event(world.loop.nanoTime(), "truncates", content.number, size, 0);
        set(path, AttributeChange.size(size));
        return true;
    }

    private boolean setTimes() throws FsException {
        String path = drawn(Named.class);
        if (path.isEmpty()) {
            return false;
        }
        // Whole seconds: some servers know no others.
        Instant time = Instant.ofEpochSecond(1_000_000_000L + random.nextInt(100_000_000));
        content(path).beginTimes(time);
        set(path, AttributeChange.times(null, time));
        if (!world.keepsTimes()) {
            content(path).forgetTimes();
        }
        return true;
    }

    private void set(String path, AttributeChange change) throws FsException {
        world.at(
                home() + "/" + path,
                ino -> {
                    vfs().setAttributes(ino, change, null);
                    return true;
                });
    }

    private boolean allocate() throws FsException {
        Open open = drawnOpen();
        if (open == null) {
            return false;
        }
        byte[] now = open.content.now;
        AllocateMode mode = MODES[random.nextInt(MODES.length)];
        int from = random.nextInt(now.length + 1);
        int to = Math.min(BYTES_MAX, from + 1 + random.nextInt(9_000));
        if (from >= to) {
            return false;
        }
        boolean grows = mode == AllocateMode.ZERO_RANGE;
        byte[] after = grows ? Arrays.copyOf(now, Math.max(now.length, to)) : now.clone();
        Arrays.fill(after, Math.min(from, after.length), Math.min(to, after.length), (byte) 0);
        open.content.beginParts(after);
        vfs().allocate(open.file, mode, from, to - from);
        return true;
    }

    private boolean read() throws FsException {
        Open open = drawnOpen();
        if (open == null) {
            return false;
        }
        byte[] seen = new CrashEyes(world, home()).bytes(open.file, open.content.now.length + 1);
        if (!open.content.mayBe(seen, false)) {
            throw new Violation("I1", "a read of " + open.content.difference(seen));
        }
        return true;
    }

    private boolean fsync() throws FsException {
        Open open = drawnOpen();
        if (open == null) {
            return false;
        }
        vfs().fsync(open.file, random.nextBoolean());
        // Only now is known how much the server has of a write past the page cache that failed.
        lookIfLoose(open);
        open.content.safe();
        return true;
    }

    private boolean fsyncDirectory() throws FsException {
        String path = random.nextBoolean() ? "" : drawn(Directory.class);
        world.at(
                home() + (path.isEmpty() ? "" : "/" + path),
                ino -> {
                    vfs().fsyncDirectory(ino);
                    return true;
                });
        for (Map.Entry<String, Thing> entry : tree.names().entrySet()) {
            if (parent(entry.getKey()).equals(path)) {
                setNamed(entry.getValue());
            }
        }
        tree.setRemoved(path);
        return true;
    }

    private boolean close() throws FsException {
        if (opened.isEmpty()) {
            return false;
        }
        Open open = opened.remove(random.nextInt(opened.size()));
        try {
            vfs().flush(open.file);
        } finally {
            vfs().release(open.file);
        }
        return true;
    }

    /** Closes what is open, whatever is said of it. */
    void closeAll() {
        for (Open open : opened) {
            vfs().release(open.file);
        }
        opened.clear();
    }

    private boolean pause() {
        long most = random.nextInt(4) == 0 ? 5_000_000_000L : 50_000_000L;
        world.loop.sleep(random.nextLong(most));
        return true;
    }

    // ---- choices ------------------------------------------------------------------------------

    private Vfs vfs() {
        return world.vfs();
    }

    private CrashContent content(String path) {
        return ((Named) java.util.Objects.requireNonNull(tree.names().get(path))).content();
    }

    private @org.jspecify.annotations.Nullable Open drawnOpen() {
        return opened.isEmpty() ? null : opened.get(random.nextInt(opened.size()));
    }

    /** Some path of that kind; "" where there is none. */
    private String drawn(Class<? extends Thing> kind) {
        List<String> paths = paths(kind);
        return paths.isEmpty() ? "" : paths.get(random.nextInt(paths.size()));
    }

    private List<String> paths(Class<? extends Thing> kind) {
        List<String> paths = new ArrayList<>();
        tree.names()
                .forEach((path, thing) -> {
                    if (kind.isInstance(thing)) {
                        paths.add(path);
                    }
                });
        return paths;
    }

    /** A path that there may be already, and must where there are as many as may be. */
    private String newOrOld(String prefix, int most) {
        List<String> all = paths(Thing.class);
        all.removeIf(path -> !path.substring(path.lastIndexOf('/') + 1).startsWith(prefix));
        if (!all.isEmpty() && (all.size() >= most || random.nextInt(3) == 0)) {
            return all.get(random.nextInt(all.size()));
        }
        String directory = random.nextBoolean() ? "" : drawn(Directory.class);
        String name = prefix + random.nextInt(12);
        return directory.isEmpty() ? name : directory + "/" + name;
    }

    private boolean isEmpty(String directory) {
        return tree.names().keySet().stream().noneMatch(p -> p.startsWith(directory + "/"));
    }

    static String parent(String path) {
        int slash = path.lastIndexOf('/');
        return slash < 0 ? "" : path.substring(0, slash);
    }

    private interface InDirectory<T> {
        T run(long ino, String name) throws FsException;
    }

    private <T> T in(String path, InDirectory<T> action) throws FsException {
        String above = parent(path);
        String name = path.substring(path.lastIndexOf('/') + 1);
        return world.at(
                home() + (above.isEmpty() ? "" : "/" + above), ino -> action.run(ino, name));
    }
}
