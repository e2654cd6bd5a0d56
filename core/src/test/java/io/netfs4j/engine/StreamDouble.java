// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.FileType;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/** A destination whose pieces end when a test says so, in the order that it wants. */
final class StreamDouble implements WriteSession, ServerFile {
    private final String name;
    private final int granule;

    /** The most that one piece takes, in bytes. */
    int pieceBytesMax;

    final List<Subrequest> pieces = new ArrayList<>();

    /** Where it throws: the name of a method, or "taken". */
    String throwsAt = "";

    /** Ends the next commit, when a test wants to see it under way. */
    @Nullable Consumer<Completion<ServerAttributes>> nextCommit;

    /** How many pieces it takes; {@link #grant} lets it take more. */
    int credits = Integer.MAX_VALUE;

    private Runnable refused = () -> {};

    /** How the piece at a position ends before it is taken note of; null for later. */
    Function<Long, @Nullable Termination> atOnce = position -> null;

    /** As {@link WriteSession#isAtomic}. */
    boolean atomic;

    /** The modification times that commits have set. */
    final List<Instant> committed = new ArrayList<>();

    int commits;
    int aborts;
    private long end;

    StreamDouble(String name, int pieceBytesMax, int granule) {
        this.name = name;
        this.pieceBytesMax = pieceBytesMax;
        this.granule = granule;
    }

    /** What was issued, as "[from, to)", in the order in which it was. */
    List<String> ranges() {
        return pieces.stream()
                .map(p -> "[" + p.position() + ", " + (p.position() + p.length()) + ")")
                .toList();
    }

    void throwAt(String place) {
        if (throwsAt.equals(place)) {
            throw new IllegalStateException("bug in " + place);
        }
    }

    void grant(int more) {
        credits += more;
        Runnable whenReady = refused;
        refused = () -> {};
        whenReady.run();
    }

    void end(int piece, Termination termination) {
        pieces.get(piece).terminated(termination);
    }

    @Override
    public int estimateBytes(long position) {
        throwAt("estimateBytes");
        return pieceBytesMax;
    }

    @Override
    public boolean issue(Subrequest offer, Runnable whenReady) {
        throwAt("issue");
        if (credits == 0) {
            refused = whenReady;
            return false;
        }
        credits--;
        offer.take(Math.min(offer.length(), pieceBytesMax));
        throwAt("taken");
        pieces.add(offer);
        end = Math.max(end, offer.position() + offer.length());
        Termination ended = atOnce.apply(offer.position());
        if (ended != null) {
            offer.terminated(ended);
        }
        return true;
    }

    @Override
    public int granuleBytes() {
        throwAt("granuleBytes");
        return granule;
    }

    @Override
    public boolean isAtomic() {
        return atomic;
    }

    @Override
    public void keep(long position, long length) {
        throw new IllegalStateException("writes at offsets");
    }

    @Override
    public void commit(AttributeChange times, Completion<ServerAttributes> done) {
        commits++;
        Instant modified = times.modified();
        if (modified != null) {
            committed.add(modified);
        }
        Consumer<Completion<ServerAttributes>> instead = nextCommit;
        nextCommit = null;
        if (instead == null) {
            done.complete(attributes());
        } else {
            instead.accept(done);
        }
    }

    @Override
    public void abort() {
        aborts++; // What was written stays.
    }

    @Override
    public ServerAttributes attributes() {
        return new ServerAttributes(
                FileType.REGULAR,
                end,
                0644,
                0,
                0,
                1,
                Instant.EPOCH,
                Instant.EPOCH,
                Instant.EPOCH,
                1,
                new CoherencyToken("v" + pieces.size()));
    }

    @Override
    public Destination reads() {
        return this;
    }

    @Override
    public WriteSession begin(@Nullable CoherencyToken base) {
        throwAt("begin");
        return this;
    }

    @Override
    public void sync(Completion<@Nullable Void> done) {
        done.complete(null);
    }

    @Override
    public ServerAttributes setAttributes(AttributeChange change) {
        return attributes();
    }

    @Override
    public boolean isReadable() {
        return true;
    }

    @Override
    public boolean isWritable() {
        throwAt("isWritable");
        return true;
    }

    @Override
    public void close() {
        // Nothing is held.
    }

    @Override
    public String toString() {
        return name;
    }
}
