// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.RangeSet;
import io.netfs4j.base.Segment;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capability;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.testing.sim.FaultPlan.Fault;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.List;

/** An open file of the simulated server. */
final class SimFile implements ServerFile {
    private static final int PIECE_BYTES_MAX = 1 << 18;

    /** Longer than the engine's next step takes to come. */
    private static final long RECORDING_NANOS = 100_000;

    /** How often something is tried again while the server is down. */
    private static final long DOWN_NANOS = 10_000_000_000L;

    final SimServer server;
    final ServerFile inner;
    final ModelFile model;
    private final Destination reads = new Reads();
    private boolean closed;
    private @Nullable Session session;

    /** Calls under way: after a lost connection they would need the handle once more. */
    private int calls;

    SimFile(SimServer server, ServerFile inner, ModelFile model) {
        this.server = server;
        this.inner = inner;
        this.model = model;
    }

    /** An action on the store's file. */
    interface Action<T> {
        T run() throws FsException;
    }

    @Override
    public Destination reads() {
        return reads;
    }

    @Override
    public WriteSession begin(@Nullable CoherencyToken base) {
        requireOpen("a session");
        if (session != null) {
            throw new Violation("I11", "two sessions at once on a handle of " + model.number);
        }
        server.sessionBegan();
        session = new Session(inner.begin(base), size());
        return session;
    }

    /** A read failed; one that was to fill a granule fails the upload with it. */
    void readFailed(long from, long to) {
        // Who asks before the next step of the request that hears of it joins that one.
        Unread.Range range = model.couldNotRead(from, to);
        server.loop.schedule(() -> range.end(server.sequence.now()), RECORDING_NANOS);
        if (session != null && session.granuleBytes() > 1) {
            model.error(false);
            session.pieceFailed();
        }
    }

    private long size() {
        try {
            return inner.attributes().sizeBytes();
        } catch (FsException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void sync(Completion<@Nullable Void> done) {
        requireOpen("sync");
        calls++;
        int asked = server.sequence.next();
        later(
                "sync",
                () -> {
                    calls--;
                    if (server.faults.strikes(Fault.SYNC_FAILS)) {
                        model.note(true);
                        done.fail(server.inject(server.faults.permanent(), "sync"));
                    } else {
                        model.forced.forced(asked);
                        inner.sync(done);
                    }
                });
    }

    /** Runs it after a while, on no task; while the server is down, after that. */
    private void later(String what, Runnable action) {
        server.trace.event(server.loop.nanoTime(), what, model.number, 0, 0);
        long delay =
                server.faults.strikes(Fault.SLOW)
                        ? server.faults.badNanos()
                        : server.faults.latency();
        server.after(
                delay + (server.isConnected() ? 0 : DOWN_NANOS),
                () -> {
                    if (!server.isConnected()) {
                        later(what + " waits", action);
                    } else {
                        action.run();
                    }
                });
    }

    @Override
    public ServerAttributes attributes() throws FsException {
        return call("fstat", () -> living().attributes());
    }

    @Override
    public ServerAttributes setAttributes(AttributeChange change) throws FsException {
        ServerAttributes after = call("fsetattr", () -> living().setAttributes(change));
        if (change.sizeBytes() != null) {
            model.forced.uploaded(server.sequence.next());
        }
        return after;
    }

    private void requireOpen(String what) {
        if (closed) {
            throw new Violation("I18", what + " on a closed handle of file " + model.number);
        }
    }

    private <T> T call(String name, Action<T> action) throws FsException {
        requireOpen(name);
        calls++;
        try {
            return server.callFile(name, this, action);
        } finally {
            calls--;
        }
    }

    private ServerFile living() throws FsException {
        if (server.isLost(model)) {
            throw new FsException(FsError.ESTALE, "file " + model.number + " lost its name");
        }
        return inner;
    }

    @Override
    public long copyRange(ServerFile source, long from, long to, long count) throws FsException {
        if (!server.capabilities().has(Capability.SERVER_COPY)) {
            throw new FsException(FsError.ENOTSUP);
        }
        SimFile other = (SimFile) source;
        other.requireOpen("copy");
        other.calls++;
        try {
            return call("copy", () -> living().copyRange(other.living(), from, to, count));
        } finally {
            other.calls--;
        }
    }

    @Override
    public boolean isReadable() {
        return inner.isReadable();
    }

    @Override
    public boolean isWritable() {
        return inner.isWritable();
    }

    @Override
    public void close() {
        server.trace.event(server.loop.nanoTime(), "close handle", model.number, 0, 0);
        if (closed) {
            throw new Violation("I18", "a handle of file " + model.number + " closed twice");
        }
        if (session != null) {
            throw new Violation("I18", "a handle of file " + model.number + " with a session");
        }
        if (calls > 0) {
            throw new Violation("I18", "a handle of file " + model.number + " closed in a call");
        }
        closed = true;
        server.closedFile();
        inner.close();
    }

    private boolean issue(
            Subrequest offer, Runnable whenReady, Destination to, @Nullable Session in) {
        int granule = in == null ? 1 : in.granuleBytes();
        if (in != null) {
            in.requireGranules(offer);
        }
        if (server.faults.strikes(Fault.READY_EARLY)) {
            whenReady.run();
            return false;
        }
        if (!server.credits.admits(once(whenReady))) {
            return false;
        }
        if (server.faults.strikes(Fault.ENDS_UNTAKEN)) {
            new SimPiece(this, offer, to, in).endAtOnce();
            return true;
        }
        if (server.faults.strikes(Fault.TRUE_UNTAKEN)) {
            new SimPiece(this, offer, to, in).begin();
            return true;
        }
        long taken = Math.min(offer.length(), PIECE_BYTES_MAX);
        if (server.faults.strikes(Fault.TAKES_LESS)) {
            taken = 1 + (taken * 7919 + server.pieces * 31L) % taken;
            taken = Math.min(offer.length(), (taken + granule - 1) / granule * granule);
        }
        offer.take(taken);
        SimPiece piece = new SimPiece(this, offer, to, in);
        piece.begin();
        server.maybeReset();
        return true;
    }

    private Runnable once(Runnable whenReady) {
        boolean[] called = {false};
        return () -> {
            if (called[0]) {
                throw new Violation("simulator", "told twice that there is room");
            }
            called[0] = true;
            whenReady.run();
        };
    }

    private final class Reads implements Destination {
        @Override
        public int estimateBytes(long position) {
            return server.faults.estimate(PIECE_BYTES_MAX);
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            if (closed) {
                throw new Violation("I18", "a read on a closed handle of " + model.number);
            }
            return SimFile.this.issue(offer, whenReady, inner.reads(), null);
        }
    }

    /** A pass of writing; knows which bytes were sent, and which of them must be sent again. */
    final class Session implements WriteSession {
        final int began = server.sequence.next();
        private final WriteSession into;
        final Sent sent = new Sent();
        private boolean over;
        private boolean failed;

        /** The connection that it is on, as far as it has been told. */
        private long on = server.downUntil;

        /** Of a server of whole objects; else null. */
        final @Nullable ObjectParts parts;

        Session(WriteSession into, long baseBytes) {
            this.into = into;
            boolean offsets = server.capabilities().has(Capability.OFFSET_WRITES);
            parts = offsets ? null : new ObjectParts(model, baseBytes);
        }

        @Override
        public int granuleBytes() {
            return server.capabilities().granuleBytes();
        }

        @Override
        public boolean isAtomic() {
            return parts != null;
        }

        /** Pieces begin on a granule, and end on one or at the end of the file. */
        void requireGranules(Subrequest offer) {
            long end = offer.position() + offer.length();
            if (offer.position() % granuleBytes() != 0
                    || (end % granuleBytes() != 0 && end < size())) {
                throw new Violation("I22", offer + " is not whole granules of " + granuleBytes());
            }
        }

        @Override
        public int estimateBytes(long position) {
            return server.faults.estimate(
                    1 + (int) ((position * 31 + server.pieces * 4099L) % (1 << 16)));
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            requireLive("issue");
            on = server.downUntil; // Its pieces tell of a loss themselves.
            return SimFile.this.issue(offer, whenReady, parts == null ? into : parts, this);
        }

        @Override
        public void keep(long position, long length) {
            requireLive("keep");
            if (parts != null) {
                parts.keep(position, length);
            }
        }

        @Override
        public void commit(AttributeChange times, Completion<ServerAttributes> done) {
            requireLive("commit");
            sent.requireQuiet("commit");
            end();
            Runnable landing =
                    () -> {
                        publish();
                        into.commit(times, new Completion<>());
                    };
            server.onTheWay.add(landing);
            later(
                    "commit",
                    () -> {
                        server.onTheWay.remove(landing);
                        if (parts == null && on != server.downUntil) {
                            noteRecording();
                            done.fail(new FsException(FsError.ENOTCONN, "lost before"));
                            return;
                        }
                        boolean fails = server.faults.strikes(Fault.COMMIT_FAILS);
                        failed |= fails;
                        noteRecording();
                        if (fails) {
                            done.fail(refusal(times));
                        } else {
                            publish();
                            into.commit(times, done);
                        }
                    });
        }

        /** The parts become the object, all at once. */
        private void publish() {
            ObjectParts collected = parts;
            if (collected == null) {
                return;
            }
            collected.size();
            RangeSet sent = collected.sent();
            if (!model.barriers.isEmpty()) {
                byte[] before = server.peek(model);
                model.barriers.checkObject(sent, collected.over(before), before);
            }
            for (int i = 0; i < sent.count(); i++) {
                int length = (int) (sent.end(i) - sent.start(i));
                model.checkSizeLimit(sent.end(i));
                Segment segment =
                        new Segment(
                                ByteBuffer.wrap(collected.bytes()), (int) sent.start(i), length);
                Subrequest all =
                        new Subrequest(
                                0,
                                0,
                                Subrequest.Direction.WRITE,
                                sent.start(i),
                                List.of(segment),
                                (s, t) -> {});
                into.issue(all, () -> {});
                model.forced.uploaded(server.sequence.next());
                model.acknowledge(sent.start(i), sent.end(i), began, collected.bytes());
            }
        }

        private FsException refusal(AttributeChange times) {
            FsException e = server.inject(server.faults.permanent(), "commit");
            if (e.error() == FsError.EACCES && isTold(times)) {
                model.error(true);
            }
            return e;
        }

        private boolean isTold(AttributeChange times) {
            return model.attributes.wereRefused(times, server.sequence.now());
        }

        @Override
        public void abort() {
            requireLive("abort");
            sent.requireQuiet("abort");
            end();
            noteRecording();
            into.abort();
        }

        void pieceFailed() {
            failed = true;
        }

        /** What failed in it is only now put down as an error of the file, or in a moment. */
        private void noteRecording() {
            if (failed) {
                model.error(false);
                server.loop.schedule(() -> model.error(false), RECORDING_NANOS);
            }
        }

        private void requireLive(String what) {
            if (over) {
                throw new Violation("I10", what + " after the end of a session");
            }
        }

        private void end() {
            over = true;
            session = null;
            server.sessionEnded();
        }
    }
}
