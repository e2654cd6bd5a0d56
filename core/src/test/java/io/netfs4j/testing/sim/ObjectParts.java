// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.RangeSet;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;

import java.util.Arrays;

/**
 * What a writing session of a server of whole objects has collected: parts that were sent, and
 * ranges of the base that stay. Nothing of it shows before the commit, and then all of it.
 */
final class ObjectParts implements Destination {
    private final ModelFile model;
    private final long baseBytes;
    private final RangeSet sent = new RangeSet();
    private final RangeSet kept = new RangeSet();
    private byte[] bytes = new byte[0];

    ObjectParts(ModelFile model, long baseBytes) {
        this.model = model;
        this.baseBytes = baseBytes;
    }

    /** From here on even zeros have to be sent: the base has no whole granule there. */
    long baseBytes() {
        return baseBytes;
    }

    void keep(long position, long length) {
        long end = position + length;
        if (end > baseBytes || sent.intersects(position, end) || kept.intersects(position, end)) {
            throw new Violation(
                    "keep",
                    "keeps ["
                            + position
                            + ", "
                            + end
                            + ") of file "
                            + model.number
                            + ", which has "
                            + baseBytes
                            + " bytes; sent "
                            + sent
                            + " kept "
                            + kept);
        }
        kept.add(position, end);
    }

    @Override
    public int estimateBytes(long position) {
        throw new IllegalStateException("the session says that");
    }

    @Override
    public boolean issue(Subrequest part, Runnable whenReady) {
        long end = part.position() + part.length();
        if (kept.intersects(part.position(), end)) {
            throw new Violation("keep", part + " was to be kept: " + kept);
        }
        if (bytes.length < end) {
            bytes = Arrays.copyOf(bytes, (int) end);
        }
        part.copyOut(0, bytes, (int) part.position(), (int) part.length());
        sent.add(part.position(), end);
        part.terminated(Termination.DONE);
        return true;
    }

    /** The size that a commit would give it; pieces and what is kept must cover it. */
    long size() {
        RangeSet all = new RangeSet();
        all.addAll(sent);
        all.addAll(kept);
        long size = all.runEnd(0);
        if (all.count() > 1 || size < baseBytes) {
            throw new Violation(
                    "keep",
                    "commits file "
                            + model.number
                            + " of "
                            + baseBytes
                            + " bytes with "
                            + sent
                            + " sent and "
                            + kept
                            + " kept");
        }
        return size;
    }

    RangeSet sent() {
        return sent;
    }

    /** The object that a commit would make of another. */
    byte[] over(byte[] base) {
        byte[] object = Arrays.copyOf(base, (int) size());
        for (int i = 0; i < sent.count(); i++) {
            int from = (int) sent.start(i);
            System.arraycopy(bytes, from, object, from, (int) sent.end(i) - from);
        }
        return object;
    }

    byte[] bytes() {
        return bytes;
    }
}
