// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.pagecache.Folio;
import io.netfs4j.pagecache.WritebackSpan;

/**
 * Walks the dirty spans of an inode in ascending order, once, and feeds every stream of a request
 * from that walk. It takes bytes only when it can use them, so that a walk that ends early leaves
 * the rest as it was; it holds no folio between steps.
 */
final class WriteIssuer {
    /** Spans taken in one step: bounds the time that the inode's lock is held. */
    private static final int STEP_SPANS_MAX = 256;

    private WriteIssuer() {}

    /**
     * Issues until the walk has ended, something has to be waited for, or the step is long enough.
     *
     * @return whether to go on in another step, without waiting for anything
     */
    @GuardedBy("inode lock")
    static boolean issue(WriteRequest request) {
        if (request.cancelled) {
            giveUpGathered(request);
            request.allQueued = true;
            return false;
        }
        if (request.allQueued || request.retry.needed) {
            return false;
        }
        for (int i = 0; i < STEP_SPANS_MAX; i++) {
            if (!issueFull(request)) {
                return false;
            }
            Folio folio = request.inode().pages().nextDirty(request.issuedTo);
            long at = folio == null ? Long.MAX_VALUE : nextDirtyByte(folio, request.issuedTo);
            if (folio == null || at >= request.walkEnd) {
                if (!issueGathered(request)) {
                    return false;
                }
                request.allQueued = true;
                return false;
            }
            if (!closeGaps(request, at)) {
                return false;
            }
            take(request, folio, at);
        }
        return true;
    }

    private static long nextDirtyByte(Folio folio, long from) {
        long offset = Math.max(0, from - folio.position());
        return folio.position() + folio.dirty().next(offset, folio.bytes());
    }

    /**
     * Takes the run of dirty bytes at {@code at}, but no more than the hungriest stream can use.
     */
    private static void take(WriteRequest request, Folio folio, long at) {
        int from = (int) (at - folio.position());
        long end = Math.min(folio.dirty().runEnd(from), request.walkEnd - folio.position());
        long wanted = 0;
        for (IoStream stream : request.streams) {
            long position = stream.gatheredBytes() > 0 ? stream.gatheredFrom() : at;
            long room = stream.destination.estimateBytes(position) - stream.gatheredBytes();
            wanted = Math.max(wanted, room);
        }
        int to = (int) Math.min(end, from + Math.max(1, wanted));
        WritebackSpan span = request.inode().pages().takeDirty(folio, from, to);
        request.spans.addLast(span);
        request.issuedTo = span.end();
        for (IoStream stream : request.streams) {
            stream.gather(span.position(), span.segment());
        }
    }

    /** Issues what each stream has gathered once that is as much as its destination wants. */
    private static boolean issueFull(WriteRequest request) {
        for (IoStream stream : request.streams) {
            while (stream.gatheredBytes() > 0
                    && stream.gatheredBytes()
                            >= stream.destination.estimateBytes(stream.gatheredFrom())) {
                if (!issueSlice(request, stream)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Where the next bytes do not follow on, what was gathered cannot grow: it goes out. */
    private static boolean closeGaps(WriteRequest request, long next) {
        for (IoStream stream : request.streams) {
            while (stream.gatheredBytes() > 0 && stream.gatheredEnd() != next) {
                if (!issueSlice(request, stream)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean issueGathered(WriteRequest request) {
        for (IoStream stream : request.streams) {
            while (stream.gatheredBytes() > 0) {
                if (!issueSlice(request, stream)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean issueSlice(WriteRequest request, IoStream stream) {
        long taken =
                request.offer(
                        stream, stream.gatheredFrom(), stream.gathered(), stream.gatheredBytes());
        if (taken == 0) {
            return false;
        }
        stream.dropGathered(taken);
        return true;
    }

    private static void giveUpGathered(WriteRequest request) {
        for (IoStream stream : request.streams) {
            if (stream.gatheredBytes() > 0) {
                request.failed.add(stream.gatheredFrom(), stream.gatheredEnd());
                stream.dropGathered(stream.gatheredBytes());
            }
            IoStream.Span span;
            while ((span = stream.retries.pollFirst()) != null) {
                request.failed.add(span.position, span.position + span.length);
            }
        }
    }
}
