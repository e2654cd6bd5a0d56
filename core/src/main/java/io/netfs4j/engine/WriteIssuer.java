// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

/**
 * Issues pieces as soon as they are full or cannot grow, of the stream that is furthest behind
 * first, from what {@link WriteWalk} feeds the streams. A step ends, holding no folio, when
 * something has to be waited for: a credit, a share of what is in flight, the retryer, a read.
 */
final class WriteIssuer {
    /** Spans taken in one step: bounds the time that the inode's lock is held. */
    private static final int STEP_SPANS_MAX = 256;

    private WriteIssuer() {}

    /** Which of its gathered bytes a stream is to issue now. */
    private enum When {
        /** Once they are as much as its destination wants. */
        FULL,
        /** Where the next bytes fed to it do not follow on: they cannot grow any more. */
        NOT_FED_NEXT,
        /** All of them: the walk has ended. */
        ALL
    }

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
        if (request.allQueued || request.retry.needed || request.granules.isReading()) {
            return false;
        }
        for (int i = 0; i < STEP_SPANS_MAX; i++) {
            if (!issue(request, When.FULL, 0)) {
                return false;
            }
            switch (WriteWalk.advance(request)) {
                case FED -> {}
                case WAITS -> {
                    return false;
                }
                case ENDED -> {
                    if (issue(request, When.ALL, 0)) {
                        request.allQueued = true;
                        WriteWalk.keepRest(request);
                    }
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * Issues what streams have gathered that cannot grow, since they are not fed at {@code at}.
     *
     * @return false when something has to be waited for first
     */
    @GuardedBy("inode lock")
    static boolean issueWhatCannotGrow(WriteRequest request, long at) {
        return issue(request, When.NOT_FED_NEXT, at);
    }

    @GuardedBy("inode lock")
    private static boolean issue(WriteRequest request, When when, long at) {
        boolean waits = false;
        while (true) {
            WriteStream next = null;
            for (WriteStream stream : request.streams) {
                if (!stream.isHeldUp
                        && isDue(stream, when, at)
                        && (next == null || stream.gatheredFrom() < next.gatheredFrom())) {
                    next = stream;
                }
            }
            if (next == null) {
                break;
            }
            if (!issueSlice(request, next)) {
                // The others need not wait for it.
                next.isHeldUp = true;
                waits = true;
            }
        }
        for (WriteStream stream : request.streams) {
            stream.isHeldUp = false;
        }
        return !waits;
    }

    private static boolean isDue(WriteStream stream, When when, long at) {
        long ready = stream.offerable();
        return ready > 0
                && switch (when) {
                    case FULL -> ready >= stream.estimate(stream.gatheredFrom());
                    case NOT_FED_NEXT -> !(stream.isFedNext && stream.gatheredEnd() == at);
                    case ALL -> true;
                };
    }

    @GuardedBy("inode lock")
    private static boolean issueSlice(WriteRequest request, WriteStream stream) {
        long ready = stream.offerable();
        long taken =
                request.offers.offer(
                        stream,
                        stream.gatheredFrom(),
                        ready == stream.gatheredBytes()
                                ? stream.gathered()
                                : Piece.slice(stream.gathered(), 0, ready),
                        ready);
        if (taken > 0) {
            stream.dropGathered(taken);
            return true;
        }
        if (stream.isUpload()) {
            return false;
        }
        // Nobody waits for a cache: what it has no room for is not cached.
        CacheStream.skip(request, stream);
        return true;
    }

    @GuardedBy("inode lock")
    private static void giveUpGathered(WriteRequest request) {
        request.granules.drop();
        for (WriteStream stream : request.streams) {
            if (!stream.isUpload()) {
                CacheStream.skip(request, stream);
                continue;
            }
            if (stream.gatheredBytes() > 0) {
                request.failed.add(stream.gatheredFrom(), stream.gatheredEnd());
                stream.dropGathered(stream.gatheredBytes());
            }
            IoStream.@Nullable Span span;
            while ((span = stream.retries.pollFirst()) != null) {
                request.failed.add(span.position, span.position + span.length);
            }
        }
    }
}
