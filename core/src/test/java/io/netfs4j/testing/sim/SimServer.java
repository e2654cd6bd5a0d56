// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Disk;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.Capability;
import io.netfs4j.server.EntrySink;
import io.netfs4j.server.FileType;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFileSystemStatistics;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.sim.FaultPlan.Fault;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * A server that writes at offsets and is meaner than real ones: slow, out of order, short, failing,
 * stingy with credits, restarting. What it stores is in a {@link MemoryServer}, which never fails.
 * It checks what a server can see of the invariants.
 */
class SimServer implements Server {
    final SimLoop loop;
    final FaultPlan faults;
    final Trace trace;
    final ModelFile.Sequence sequence;
    final MemoryServer store;

    /** Errors that were injected, of all kinds: only these may reach an application. */
    final Set<FsError> injected = EnumSet.noneOf(FsError.class);

    /** How often the mount may try in vain. */
    int attemptsMax = Integer.MAX_VALUE;

    /** Files by the store's number; those whose creation the model announced. */
    private final Map<Long, ModelFile> files = new HashMap<>();

    final Announced<ModelFile> announced = new Announced<>(this::peek);

    /** Directories and symbolic links likewise. */
    final Announced<ModelNode> names = new Announced<>(this::peek);

    private final Map<ModelFile, Peek> peeks = new HashMap<>();

    /** Pieces under way, in the order of their issue. */
    private final Set<SimPiece> inFlight = new LinkedHashSet<>();

    /** Write pieces under way by file, for I11. */
    private final Map<ModelFile, List<SimPiece>> writing = new HashMap<>();

    /** What is delayed, in the order in which it was. */
    private final Set<Runnable> pending = new LinkedHashSet<>();

    /** Files that lost their name, on a server where open files do not survive that. */
    private final Set<ModelFile> lost = new LinkedHashSet<>();

    /** Files by the names that are being taken from them: the mount has not been answered yet. */
    private final Map<RemotePath, ModelFile> leaving = new HashMap<>();

    /** The disk cache of the mount, where it has one. */
    @Nullable SimCache cache;

    @Nullable SimStore realCache; // The real one in its place.

    boolean asksFirst; // The mount asks before it sends, and must find no conflict.

    /** The disk of the machine that mounts it, where that has a journal; else null. */
    @Nullable Disk disk;

    Capabilities capabilities;
    long downUntil; // or was, in nanoseconds
    private Completion<Boolean> up = Completion.done(true);

    /** How many name operations have failed so far. */
    int nameFaults;

    final Answers answers = new Answers();
    final SimCredits credits;

    /** What is on its way, and takes effect or not when the mount dies. */
    final Set<Runnable> onTheWay = new LinkedHashSet<>();

    /** Models of files that nobody announced; null: there are none. */
    @Nullable Supplier<ModelFile> strangers;

    int opened;
    int sessions;
    int pieces;
    long writtenBytes;

    SimServer(SimLoop loop, FaultPlan faults, Trace trace, ModelFile.Sequence sequence) {
        this.loop = loop;
        this.faults = faults;
        this.trace = trace;
        this.sequence = sequence;
        store = new MemoryServer(loop);
        credits = new SimCredits(this);
        capabilities = store.capabilities();
    }

    /** For a file system that knows no servers that lack anything, or lie. */
    void grantAll() {
        faults.keepToTheContract();
        capabilities = store.capabilities();
    }

    /** A file that another client made. */
    void adopt(RemotePath path, ModelFile file) {
        try {
            files.put(attributes(path).serverFileId(), file);
            peeks.put(file, new Peek(store.open(() -> path, Access.READ).file()));
        } catch (FsException e) {
            throw new AssertionError(e);
        }
    }

    /** The file that the store has under a number, or null. */
    @Nullable ModelFile fileOf(long number) {
        return files.get(number);
    }

    /** Whether a file has not been made; it may have been given up, and another have its name. */
    boolean isAwaited(ModelNode node) {
        return node.file == null ? names.contains(node) : isAwaited(node.file);
    }

    boolean isAwaited(ModelFile file) {
        return !peeks.containsKey(file);
    }

    int inFlight() {
        return inFlight.size();
    }

    /** What the server holds of a file now, also one without a name. Not to be changed. */
    byte[] peek(ModelFile file) {
        Peek peek = peeks.get(file);
        return peek == null ? new byte[0] : peek.all();
    }

    /** What the store has under a path, or null. */
    @Nullable ServerAttributes peek(RemotePath path) {
        try {
            return store.stat(path);
        } catch (FsException e) {
            return null;
        }
    }

    ServerAttributes attributes(RemotePath path) {
        ServerAttributes attributes = peek(path);
        if (attributes == null) {
            throw new Violation("names", "the server has nothing at /" + path);
        }
        return attributes;
    }

    Map<String, FileType> peekNames(RemotePath directory) {
        Map<String, FileType> names = new TreeMap<>();
        try {
            store.list(directory, (name, type, attributes) -> names.put(name, type));
        } catch (FsException e) {
            throw new Violation("names", "the server has no directory /" + directory, e);
        }
        return names;
    }

    private @Nullable ModelFile fileOrNull(RemotePath path) {
        ServerAttributes attributes = peek(path);
        return attributes == null ? null : files.get(attributes.serverFileId());
    }

    /** The file that the mount may ask for by this name, or null. */
    final @Nullable ModelFile fileAsKnown(RemotePath path) {
        ModelFile file = fileOrNull(path);
        return file == null ? leaving.get(path) : file;
    }

    ModelFile fileAt(RemotePath path) {
        ModelFile file = fileOrNull(path);
        if (file == null) {
            throw new Violation("names", "the server has no file /" + path);
        }
        return file;
    }

    /** Faults are over: what was withheld comes back. */
    void quiet() {
        faults.quiet();
        credits.giveBack();
        downUntil = 0;
        up.complete(true);
        credits.poke();
        List.copyOf(pending).forEach(loop::execute);
    }

    /** Does something once after a delay, or as soon as faults are over. */
    void after(long delayNanos, Runnable action) {
        Runnable once =
                new Runnable() {
                    @Override
                    public void run() {
                        if (pending.remove(this)) {
                            action.run();
                        }
                    }
                };
        pending.add(once);
        loop.schedule(once, delayNanos);
    }

    /** Lets time pass for the calling task, but not past the end of faults. */
    private void sleep(long nanos) {
        Completion<Boolean> over = new Completion<>();
        after(nanos, () -> over.complete(true));
        try {
            loop.awaitUninterruptibly(over);
        } catch (FsException e) {
            throw new AssertionError(e);
        }
    }

    // Names.

    /** An action on the store. */
    interface Action<T> {
        T run() throws FsException;
    }

    final <T> T call(String name, RemotePath path, Action<T> action) throws FsException {
        loop.requireAlive();
        trace.event(loop.nanoTime(), name, path.hashCode(), 0, 0);
        Runnable landing = () -> attempt(action);
        onTheWay.add(landing);
        delay();
        awaitUp();
        onTheWay.remove(landing);
        if (faults.strikes(Fault.NAME_FAILS)) {
            nameFaults++;
            throw inject(faults.permanent(), name + " /" + path);
        }
        int number = answers.begin();
        try {
            return answer(name, path, action);
        } finally {
            answers.end(number, loop.nanoTime());
        }
    }

    /** As {@link #call}, on account of a file, if there is one: that it failed is its error. */
    private <T> T callOf(@Nullable ModelFile file, String name, RemotePath path, Action<T> action)
            throws FsException {
        int before = nameFaults;
        try {
            return call(name, path, action);
        } catch (FsException e) {
            if (file != null && nameFaults != before) {
                file.error(false);
            }
            throw e;
        }
    }

    /** Does what nobody hears the answer of. */
    private static void attempt(Action<?> action) {
        try {
            action.run();
        } catch (FsException e) {
            // As the store says: nobody is there any more to be told.
        }
    }

    /** The mount is gone: what it had asked for takes effect or not, and nothing is open. */
    void mountDied(RandomGenerator random) {
        for (Runnable landing : List.copyOf(onTheWay)) {
            if (random.nextBoolean()) {
                landing.run();
            }
        }
        for (SimPiece piece : List.copyOf(inFlight)) {
            piece.mountDied(random);
        }
        onTheWay.clear();
        inFlight.clear();
        writing.clear();
        leaving.clear();
        pending.clear();
        credits.giveBack();
        credits.forgetAll();
        downUntil = 0;
        up = Completion.done(true);
        opened = 0;
        sessions = 0;
    }

    private <T> T answer(String name, RemotePath path, Action<T> action) throws FsException {
        T result;
        try {
            result = action.run();
        } catch (FsException e) {
            delay();
            trace.event(loop.nanoTime(), name + " failed", e.error().errno(), 0, 0);
            throw e;
        }
        // A lost reply: the back end asks until it knows that it was done.
        if (faults.strikes(Fault.LOST_REPLY)) {
            sleep(faults.badNanos());
        }
        delay();
        trace.event(loop.nanoTime(), name + " done", path.hashCode(), 0, 0);
        return result;
    }

    FsException inject(FsError error, String what) {
        injected.add(error);
        trace.event(loop.nanoTime(), "inject " + error, 0, 0, 0);
        return new FsException(error, "injected: " + what);
    }

    void delay() {
        sleep(faults.strikes(Fault.SLOW) ? faults.badNanos() : faults.latency());
    }

    private void awaitUp() throws FsException {
        while (loop.nanoTime() < downUntil) {
            loop.awaitUninterruptibly(up);
        }
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    /** A server whose open files do not outlive their names. */
    private void loseOpen(RemotePath path) {
        ServerAttributes there = peek(path);
        ModelFile file = there == null ? null : files.get(there.serverFileId());
        if (file != null
                && there.links() == 1
                && !capabilities.has(Capability.UNLINKED_OPEN_FILES)) {
            lost.add(file);
        }
    }

    boolean isLost(ModelFile file) {
        return lost.contains(file);
    }

    @Override
    public ServerAttributes stat(RemotePath path) throws FsException {
        // It may be about to be sent, and that it loses its name meanwhile does not save it.
        return callOf(asksFirst ? fileAsKnown(path) : null, "stat", path, () -> store.stat(path));
    }

    @Override
    public void list(RemotePath directory, EntrySink sink) throws FsException {
        record Row(String name, FileType type, @Nullable ServerAttributes attributes) {}
        List<Row> rows = new ArrayList<>();
        call(
                "list",
                directory,
                () -> {
                    store.list(directory, (n, t, a) -> rows.add(new Row(n, t, a)));
                    return true;
                });
        for (Row row : rows) {
            sink.entry(row.name, row.type, row.attributes);
        }
    }

    @Override
    public OpenedFile open(PathSource source, Access access) throws FsException {
        RemotePath path = source.path();
        return callOf(fileAsKnown(path), "open", path, () -> opened(store.open(source, access)));
    }

    @Override
    public OpenedFile create(PathSource source, int mode) throws FsException {
        RemotePath path = source.path();
        return callOf(
                announced.get(path),
                "create",
                path,
                () -> {
                    OpenedFile made = store.create(source, mode);
                    ModelFile file = announced.remove(path);
                    if (file == null && strangers != null) {
                        file = strangers.get();
                    } else if (file == null) {
                        throw new Violation("names", "creates /" + path + " unasked");
                    }
                    files.put(made.attributes().serverFileId(), file);
                    peeks.put(file, new Peek(store.open(source, Access.READ).file()));
                    return opened(made);
                });
    }

    private OpenedFile opened(OpenedFile inner) {
        opened++;
        ModelFile file = files.get(inner.attributes().serverFileId());
        if (file == null) {
            throw new Violation("names", "opens a file that nobody made");
        }
        return new OpenedFile(new SimFile(this, inner.file(), file), inner.attributes());
    }

    @Override
    public ServerAttributes makeDirectory(RemotePath path, int mode) throws FsException {
        int before = nameFaults;
        boolean done = false;
        try {
            ServerAttributes made = call("mkdir", path, () -> store.makeDirectory(path, mode));
            done = true;
            return made;
        } finally {
            if (peek(path) != null) {
                names.remove(path);
                announced.directoryMade(path);
                names.directoryMade(path);
            }
            if (!done && nameFaults != before) {
                announced.below(path).forEach(file -> file.error(false));
            }
        }
    }

    @Override
    public void remove(RemotePath path) throws FsException {
        ModelFile file = fileOrNull(path);
        if (file != null) {
            leaving.put(path, file);
        }
        try {
            call(
                    "remove",
                    path,
                    () -> {
                        loseOpen(path);
                        store.remove(path);
                        return true;
                    });
        } finally {
            leaving.remove(path);
        }
    }

    @Override
    public void removeDirectory(RemotePath path) throws FsException {
        call(
                "rmdir",
                path,
                () -> {
                    store.removeDirectory(path);
                    return true;
                });
    }

    @Override
    public void rename(RemotePath from, RemotePath to, RenameMode mode) throws FsException {
        call(
                "rename",
                from,
                () -> {
                    if (mode == RenameMode.REPLACE && !from.equals(to)) {
                        loseOpen(to);
                    }
                    store.rename(from, to, mode);
                    announced.renamed(from, to, mode);
                    names.renamed(from, to, mode);
                    return true;
                });
    }

    @Override
    public ServerAttributes link(RemotePath existing, RemotePath path) throws FsException {
        if (!capabilities.has(Capability.HARD_LINKS)) {
            return Server.super.link(existing, path);
        }
        return call("link", existing, () -> store.link(existing, path));
    }

    @Override
    public ServerAttributes makeSymlink(RemotePath path, String target) throws FsException {
        return call(
                "symlink",
                path,
                () -> {
                    ServerAttributes made = store.makeSymlink(path, target);
                    names.remove(path);
                    return made;
                });
    }

    @Override
    public String readSymlink(RemotePath path) throws FsException {
        return call("readlink", path, () -> store.readSymlink(path));
    }

    @Override
    public ServerAttributes setAttributes(RemotePath path, AttributeChange change)
            throws FsException {
        return call("setattr", path, () -> store.setAttributes(path, change));
    }

    @Override
    public ServerFileSystemStatistics statistics(RemotePath path) throws FsException {
        return call("statfs", path, () -> store.statistics(path));
    }

    @Override
    public void close() {
        trace.event(loop.nanoTime(), "close server", 0, 0, 0);
    }

    // Data, for SimFile.

    /** For calls by handle, which fail and wait as those by name do. */
    <T> T callFile(String name, SimFile file, SimFile.Action<T> action) throws FsException {
        return callOf(file.model, name, RemotePath.ROOT, action::run);
    }

    void closedFile() {
        opened--;
    }

    void sessionBegan() {
        sessions++;
    }

    void sessionEnded() {
        sessions--;
    }

    void began(SimPiece piece) {
        pieces++;
        inFlight.add(piece);
        if (piece.isWrite()) {
            List<SimPiece> others =
                    writing.computeIfAbsent(piece.file.model, m -> new ArrayList<>());
            for (SimPiece other : others) {
                if (other.from() < piece.to() && piece.from() < other.to()) {
                    throw new Violation("I11", piece + " is sent while " + other + " is under way");
                }
            }
            others.add(piece);
        }
    }

    void ended(SimPiece piece, long written) {
        inFlight.remove(piece);
        writtenBytes += written;
        if (piece.isWrite()) {
            writing.getOrDefault(piece.file.model, new ArrayList<>()).remove(piece);
        }
        credits.poke();
    }

    @Override
    public boolean isConnected() {
        return loop.nanoTime() >= downUntil;
    }

    /** Cuts the connection under everything that is under way, for a while unless it is cut. */
    void maybeReset() {
        if (!faults.strikes(Fault.RESET)) {
            return;
        }
        long down = faults.badNanos();
        trace.event(loop.nanoTime(), "reset", down, inFlight.size(), 0);
        if (down > 0 && isConnected()) {
            Completion<Boolean> again = new Completion<>();
            up = again;
            downUntil = loop.nanoTime() + down;
            loop.schedule(() -> again.complete(true), down);
        }
        List.copyOf(inFlight).forEach(piece -> loop.execute(piece::cut));
    }
}
