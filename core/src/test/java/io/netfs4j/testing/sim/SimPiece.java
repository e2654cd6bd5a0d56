// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.testing.sim.FaultPlan.Fault;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** One piece under way at the simulated server: what becomes of it is drawn when it begins. */
final class SimPiece {

    private static final long PATIENCE_NANOS_MAX = 5_000_000_000L;

    final SimFile file;
    private final SimServer server;
    private final Subrequest offer;
    private final Destination store;
    private final SimFile.@Nullable Session session;
    private boolean retry;
    private boolean ended;

    /** The answer to a read is on its way for so long: what it holds may be old when it comes. */
    private long replyNanos;

    private boolean readFails;

    SimPiece(SimFile file, Subrequest offer, Destination store, SimFile.@Nullable Session session) {
        this.file = file;
        this.server = file.server;
        this.offer = offer;
        this.store = store;
        this.session = session;
    }

    boolean isWrite() {
        return session != null;
    }

    long from() {
        return offer.position();
    }

    long to() {
        return offer.position() + offer.length();
    }

    /** As {@link #begin}, and it has ended before that returns. */
    void endAtOnce() {
        account();
        finish();
    }

    void begin() {
        account();
        if (!server.isConnected()) {
            server.after(server.faults.latency(), this::refuse);
        } else if (server.faults.strikes(Fault.ENDS_AT_ONCE)) {
            finish();
        } else {
            long delay =
                    server.faults.strikes(Fault.SLOW)
                            ? server.faults.badNanos()
                            : server.faults.latency();
            replyNanos = isWrite() ? 0 : delay / 2;
            server.after(delay - replyNanos, this::finish);
        }
    }

    private void account() {
        server.trace.event(
                server.loop.nanoTime(),
                isWrite() ? "send" : "fetch",
                file.model.number,
                from(),
                offer.length());
        server.began(this);
        file.model.attempts.issued(offer.request(), from(), server.attemptsMax);
        if (session != null) {
            long zerosFrom = session.parts == null ? Long.MAX_VALUE : session.parts.baseBytes();
            if (server.disk == null || session.granuleBytes() == 1) {
                // Else what fills a granule may be what the server has already of a failed upload,
                // while what was written there waits in the journal.
                file.model.checkUpload(from(), to(), session.granuleBytes(), zerosFrom);
            }
            if (session.parts == null && !file.model.barriers.isEmpty()) {
                byte[] sent = new byte[(int) offer.length()];
                offer.copyOut(0, sent, 0, sent.length);
                file.model.barriers.check(
                        from(), sent, session.granuleBytes(), server.peek(file.model));
            }
            retry = session.sent.issued(this);
        }
    }

    private void finish() {
        if (ended) {
            return;
        }
        FaultPlan faults = server.faults;
        if (server.isLost(file.model)) {
            end(new Termination.Failed(new FsException(FsError.ESTALE, "no name: " + this)), 0);
        } else if (faults.strikes(isWrite() ? Fault.WRITE_FAILS : Fault.READ_FAILS)) {
            transfer(part());
            FsException cause = server.inject(faults.permanent(), toString());
            if (isWrite()) {
                file.model.error(true);
            } else {
                readFails = true;
            }
            end(new Termination.Failed(cause), 0);
        } else if (faults.strikes(Fault.MISCOUNTS)) {
            lie(new Termination.Short(faults.miscount(offer.length())));
        } else if (isWrite() && faults.strikes(Fault.WRITE_MEETS_END)) {
            lie(new Termination.EndOfFile(part()));
        } else if (faults.strikes(Fault.BUSY)) {
            later(false, faults.badNanos() % PATIENCE_NANOS_MAX);
        } else if (faults.strikes(Fault.DISCONNECT)) {
            cut();
        } else if (offer.length() > 1
                && faults.strikes(isWrite() ? Fault.SHORT_WRITE : Fault.SHORT_READ)) {
            shortly();
        } else {
            end(transfer(offer.length()), offer.length());
        }
    }

    /** It says what cannot be, which counts as a failure. */
    private void lie(Termination nonsense) {
        transfer(part());
        server.injected.add(FsError.EPROTO);
        if (session != null) {
            file.model.error(true);
            session.pieceFailed();
        } else {
            readFails = true;
        }
        end(nonsense, 0);
    }

    private void shortly() {
        long count = Math.max(1, part());
        Termination met = transfer(count);
        if (session != null && count < session.granuleBytes()) {
            // Of no granule everything arrived: the engine may lose its patience and report it.
            server.injected.add(FsError.EIO);
            file.model.error(false);
        }
        end(met instanceof Termination.EndOfFile ? met : new Termination.Short(count), count);
    }

    /** The connection is gone; whether the server got it, or a part of it, nobody knows. */
    void cut() {
        if (!ended) {
            replyNanos = 0;
            readFails = false;
            transfer(part());
            later(true, 0);
        }
    }

    /** Nobody waits for it any more; the server gets it, or a part of it, or nothing. */
    void mountDied(RandomGenerator random) {
        if (!ended && isWrite()) {
            ended = true;
            transfer(random.nextInt(3) == 0 ? offer.length() : random.nextLong(offer.length()));
        }
    }

    private void refuse() {
        if (!ended) {
            later(true, server.faults.latency());
        }
    }

    private void later(boolean disconnected, long after) {
        FsError error = disconnected ? FsError.ENOTCONN : FsError.EBUSY;
        if (!disconnected) {
            // The engine may lose its patience and report it.
            server.injected.add(error);
            file.model.error(false);
            readFails = !isWrite();
        }
        FsException cause = new FsException(error, "injected: " + this);
        end(new Termination.RetryLater(disconnected, after, cause), 0);
    }

    /** A length from 0 to all. */
    private long part() {
        long drawn = server.faults.part() >>> 1;
        return switch ((int) (drawn & 3)) {
            case 0 -> 0;
            case 1 -> offer.length() - 1;
            default -> (drawn >>> 2) % offer.length();
        };
    }

    private Termination transfer(long count) {
        if (count == 0) {
            return Termination.DONE;
        }
        if (isWrite()) {
            file.model.checkSizeLimit(from() + count);
        }
        Termination[] met = new Termination[1];
        Subrequest inner =
                new Subrequest(
                        0,
                        0,
                        offer.direction(),
                        offer.position(),
                        first(count),
                        (s, t) -> met[0] = t);
        store.issue(inner, () -> {});
        return met[0];
    }

    private List<Segment> first(long count) {
        List<Segment> segments = new ArrayList<>();
        long left = count;
        for (Segment s : offer.segments()) {
            int n = (int) Math.min(left, s.length());
            if (n > 0) {
                segments.add(new Segment(s.memory(), s.offset(), n));
            }
            left -= n;
        }
        return segments;
    }

    private void end(Termination termination, long transferred) {
        long delay = replyNanos;
        replyNanos = 0;
        if (delay == 0 || server.faults.isQuiet()) {
            arrive(termination, transferred);
            return;
        }
        server.after(
                delay,
                () -> {
                    if (!ended) {
                        arrive(termination, transferred);
                    }
                });
    }

    private void arrive(Termination termination, long transferred) {
        if (readFails) {
            file.readFailed(from(), to());
        }
        if (!isWrite() && server.faults.strikes(Fault.SCRIBBLE)) {
            scribble(termination instanceof Termination.EndOfFile(long n) ? n : transferred);
        }
        ended = true;
        server.trace.event(
                server.loop.nanoTime(),
                termination.getClass().getSimpleName(),
                file.model.number,
                from(),
                transferred);
        if (session != null) {
            long whole =
                    transferred < offer.length()
                            ? transferred - transferred % session.granuleBytes()
                            : transferred;
            session.sent.ended(this, retry, whole);
            if (termination instanceof Termination.Failed
                    || termination instanceof Termination.RetryLater) {
                session.pieceFailed();
            }
            if (session.parts == null) {
                if (whole > 0) {
                    file.model.forced.uploaded(server.sequence.next());
                }
                byte[] there = session.granuleBytes() > 1 ? server.peek(file.model) : null;
                file.model.acknowledge(from(), from() + whole, session.began, there);
            }
        }
        long granule = session == null ? 1 : session.granuleBytes();
        boolean all = termination instanceof Termination.Done;
        file.model.attempts.ended(
                offer.request(),
                from(),
                to(),
                termination,
                all ? 1 : transferred / granule * granule);
        server.ended(this, isWrite() ? transferred : 0);
        if (!offer.terminated(termination)) {
            throw new Violation("I10", this + " had ended before");
        }
        if (server.faults.strikes(Fault.ENDS_TWICE) && offer.terminated(Termination.DONE)) {
            throw new Violation("I10", this + " was ended twice");
        }
    }

    /** The rest of a read's memory is the server's to spoil until the end. */
    private void scribble(long after) {
        byte[] rubbish = new byte[(int) (offer.length() - after)];
        java.util.Arrays.fill(rubbish, (byte) 0xEE);
        offer.copyIn(after, rubbish, 0, rubbish.length);
    }

    @Override
    public String toString() {
        return offer + " of file " + file.model.number;
    }
}
