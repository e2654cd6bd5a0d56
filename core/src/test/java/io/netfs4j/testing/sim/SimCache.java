// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.RangeSet;
import io.netfs4j.cache.Cookie;
import io.netfs4j.cache.DiskCache;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.testing.sim.FaultPlan.Fault;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * A disk cache that is full, slow, damaged, or gone at the worst moments. It checks that pieces are
 * whole granules, and that what it holds of the server's version is what the server holds.
 */
final class SimCache implements DiskCache {
    private static final long[] GRANULES = {1, 512, 4096, 1 << 14, 1 << 16};
    private static final int PIECE_BYTES_MAX = 1 << 17;

    /** Longer than the engine's next step takes to come. */
    private static final long LOOKING_NANOS = 100_000;

    private final SimServer server;
    private final Map<String, Stored> files = new TreeMap<>();
    private final int granule;
    private int opened;
    private int inFlight;
    private long endedAt;
    private boolean gone;
    private long storedBytes;
    private long deliveredBytes;

    SimCache(SimServer server, RandomGenerator random) {
        this.server = server;
        granule = (int) GRANULES[random.nextInt(GRANULES.length)];
    }

    /** What is on its disk of one file. */
    private static final class Stored {
        byte[] bytes = new byte[0];
        final RangeSet held = new RangeSet();
        @Nullable String version;
        @Nullable SimCookie open;
        final int number;

        Stored(String key) {
            number = Integer.parseInt(key, 16);
        }

        /** Pieces being written. */
        final List<Writing> writing = new ArrayList<>();
    }

    /** A piece under way, until something drops what it is about to store. */
    private static final class Writing {
        final long from;
        final long to;
        boolean dropped;

        /** What it was lent, which nobody may change before it has ended. */
        final int lent;

        Writing(Subrequest offer, boolean write) {
            from = offer.position();
            to = from + offer.length();
            lent = write ? hash(offer) : 0;
        }

        static int hash(Subrequest offer) {
            byte[] bytes = new byte[(int) offer.length()];
            offer.copyOut(0, bytes, 0, bytes.length);
            return Arrays.hashCode(bytes);
        }
    }

    int opened() {
        return opened;
    }

    int inFlight() {
        return inFlight;
    }

    /** Whether nothing is under way, nor has ended so lately that nobody has looked at it yet. */
    boolean isIdle() {
        return inFlight == 0 && server.loop.nanoTime() - endedAt > LOOKING_NANOS;
    }

    /** Checks at the end that no file holds, of a version, anything but what that version holds. */
    void check(String key, String version, byte[] there) {
        Stored stored = files.get(key);
        if (stored == null || !version.equals(stored.version)) {
            return;
        }
        for (int i = 0; i < stored.held.count(); i++) {
            int from = (int) stored.held.start(i);
            int to = (int) Math.min(stored.held.end(i), there.length);
            if (to > from && !Arrays.equals(stored.bytes, from, to, there, from, to)) {
                throw new Violation(
                        "I7",
                        "the disk cache holds other bytes of "
                                + key
                                + " in ["
                                + from
                                + ", "
                                + to
                                + ") than the server, from "
                                + (from + Arrays.mismatch(stored.bytes, from, to, there, from, to))
                                + " on");
            }
        }
    }

    @Override
    public @Nullable Cookie acquire(String key, @Nullable String version) {
        gone |= server.faults.strikes(Fault.CACHE_GONE);
        if (gone) {
            return null;
        }
        Stored stored = files.computeIfAbsent(key, k -> new Stored(key));
        if (stored.open != null) {
            throw new Violation("I18", "two cookies of " + key);
        }
        if (version == null || !version.equals(stored.version)) {
            drop(stored, 0, Long.MAX_VALUE);
            stored.version = version;
        }
        opened++;
        SimCookie cookie = new SimCookie(stored);
        stored.open = cookie;
        return cookie;
    }

    private static void drop(Stored stored, long from, long to) {
        stored.held.remove(from, to);
        for (Writing writing : stored.writing) {
            writing.dropped |= writing.from < to && from < writing.to;
        }
    }

    private final class SimCookie implements Cookie {
        private final Stored stored;
        private boolean closed;

        SimCookie(Stored stored) {
            this.stored = stored;
        }

        private void requireOpen(String what) {
            if (closed) {
                throw new Violation("I18", what + " of a closed cookie");
            }
        }

        @Override
        public int granuleBytes() {
            return granule;
        }

        @Override
        public long nextHeld(long from, long to) {
            return Math.min(to, stored.held.next(from, to));
        }

        @Override
        public long nextMissing(long from, long to) {
            return Math.min(to, stored.held.runEnd(from));
        }

        @Override
        public void discard(long from, long to) {
            requireOpen("discard");
            long start = from - from % granule;
            long end = to == Long.MAX_VALUE ? to : (to + granule - 1) / granule * granule;
            drop(stored, start, end);
        }

        @Override
        public void setVersion(String version) {
            requireOpen("setVersion");
            stored.version = version;
        }

        @Override
        public void close() {
            requireOpen("close");
            closed = true;
            stored.open = null;
            opened--;
        }

        @Override
        public Destination reads() {
            return new Transfers(false);
        }

        @Override
        public Destination writes() {
            return new Transfers(true);
        }

        private final class Transfers implements Destination {
            private final boolean write;

            Transfers(boolean write) {
                this.write = write;
            }

            @Override
            public int estimateBytes(long position) {
                return 1 + (int) ((position * 17 + storedBytes) % (1 << 16));
            }

            @Override
            public boolean issue(Subrequest offer, Runnable whenReady) {
                requireOpen("a piece");
                if (write && (offer.position() % granule != 0 || offer.length() % granule != 0)) {
                    throw new Violation("I22", "not whole granules of " + granule + ": " + offer);
                }
                if (server.faults.strikes(Fault.CACHE_FULL)) {
                    server.after(server.faults.latency(), whenReady);
                    return false;
                }
                long taken = Math.min(offer.length(), PIECE_BYTES_MAX);
                if (server.faults.strikes(Fault.TAKES_LESS)) {
                    taken = Math.max(granule, taken / 2 / granule * granule);
                }
                offer.take(Math.min(taken, offer.length()));
                begin(offer);
                return true;
            }

            private void begin(Subrequest offer) {
                long from = offer.position();
                long to = from + offer.length();
                server.trace.event(
                        server.loop.nanoTime(),
                        write ? "store" : "load",
                        stored.number,
                        from,
                        to - from);
                inFlight++;
                Writing writing = new Writing(offer, write);
                if (write) {
                    for (Writing other : stored.writing) {
                        if (!other.dropped && other.from < to && from < other.to) {
                            throw new Violation("I11", "two writes of the cache at " + from);
                        }
                    }
                    stored.held.remove(from, to);
                    stored.writing.add(writing);
                }
                long delay =
                        server.faults.strikes(Fault.CACHE_SLOW)
                                ? server.faults.badNanos()
                                : server.faults.latency() / 10;
                if (server.faults.strikes(Fault.ENDS_AT_ONCE)) {
                    finish(offer, writing);
                } else {
                    server.after(delay, () -> finish(offer, writing));
                }
            }

            private void finish(Subrequest offer, Writing writing) {
                Termination end = write ? store(offer, writing) : load(offer);
                inFlight--;
                endedAt = server.loop.nanoTime();
                stored.writing.remove(writing);
                if (write && Writing.hash(offer) != writing.lent) {
                    throw new Violation("I7", "the cache was lent memory that changed: " + offer);
                }
                server.trace.event(
                        server.loop.nanoTime(),
                        end.getClass().getSimpleName(),
                        stored.number,
                        offer.position(),
                        offer.length());
                if (!offer.terminated(end)) {
                    throw new Violation("I10", offer + " of the cache had ended before");
                }
            }

            private Termination failure(String what) {
                return new Termination.Failed(new FsException(FsError.EIO, "injected: " + what));
            }

            private Termination store(Subrequest offer, Writing writing) {
                if (server.faults.strikes(Fault.CACHE_WRITE_FAILS)) {
                    return failure("cache write");
                }
                if (writing.dropped) {
                    return Termination.DONE;
                }
                int end = (int) writing.to;
                if (stored.bytes.length < end) {
                    stored.bytes = Arrays.copyOf(stored.bytes, Math.max(end, 2 * end / 3 * 2));
                }
                offer.copyOut(0, stored.bytes, (int) writing.from, (int) offer.length());
                storedBytes += offer.length();
                if (offer.length() > granule && server.faults.strikes(Fault.CACHE_WRITE_SHORT)) {
                    return new Termination.Short(granule);
                }
                stored.held.add(writing.from, writing.to);
                return Termination.DONE;
            }

            private Termination load(Subrequest offer) {
                long from = offer.position();
                long to = from + offer.length();
                if (server.faults.strikes(Fault.CACHE_READ_FAILS)
                        || !stored.held.contains(from, to)) {
                    return failure("cache read");
                }
                if (server.faults.strikes(Fault.CACHE_DAMAGED)) {
                    // It knows by a checksum.
                    byte[] rubbish = new byte[(int) offer.length()];
                    offer.copyIn(0, rubbish, 0, rubbish.length);
                    drop(stored, from - from % granule, to);
                    return failure("damaged");
                }
                offer.copyIn(0, stored.bytes, (int) from, (int) offer.length());
                deliveredBytes += offer.length();
                return Termination.DONE;
            }
        }
    }

    @Override
    public String toString() {
        return "cache of granule "
                + granule
                + (gone ? " gone" : "")
                + " stored "
                + storedBytes
                + " delivered "
                + deliveredBytes;
    }
}
