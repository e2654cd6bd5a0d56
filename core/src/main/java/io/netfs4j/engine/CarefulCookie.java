// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsException;
import io.netfs4j.cache.Cookie;
import io.netfs4j.request.Destination;

import org.jspecify.annotations.Nullable;

import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A disk cache's cookie that is not asked any more once it has thrown: what it holds may be old
 * then. What pieces throw concerns those pieces only ({@link IoStream}).
 */
final class CarefulCookie implements Cookie {
    private final Cookie cookie;
    private final int granuleBytes;
    private boolean broken;

    private CarefulCookie(Cookie cookie, int granuleBytes) {
        this.cookie = cookie;
        this.granuleBytes = granuleBytes;
    }

    /** The cookie that is opened; null when there is none, or it is of no use. */
    static @Nullable CarefulCookie open(Supplier<@Nullable Cookie> opens) {
        Cookie opened = null;
        try {
            opened = opens.get();
            if (opened == null) {
                return null;
            }
            int granule = opened.granuleBytes();
            if (granule < 1 || Integer.bitCount(granule) != 1) {
                throw new IllegalStateException("a granule of " + granule + " bytes");
            }
            return new CarefulCookie(opened, granule);
        } catch (RuntimeException e) {
            BackEnd.report("the disk cache", e);
            if (opened != null) {
                new CarefulCookie(opened, 1).close();
            }
            return null;
        }
    }

    /** Whether it has thrown, and is to be left alone. */
    boolean isBroken() {
        return broken;
    }

    private FsException breakOff(RuntimeException e) {
        boolean first = !broken;
        broken = true;
        return first ? BackEnd.report("the disk cache", e) : BackEnd.failure("the disk cache", e);
    }

    private long ask(LongSupplier question, long otherwise) {
        if (!broken) {
            try {
                return question.getAsLong();
            } catch (RuntimeException e) {
                breakOff(e);
            }
        }
        return otherwise;
    }

    private void tell(Runnable statement) {
        if (!broken) {
            try {
                statement.run();
            } catch (RuntimeException e) {
                breakOff(e);
            }
        }
    }

    @Override
    public int granuleBytes() {
        return granuleBytes;
    }

    @Override
    public long nextHeld(long from, long to) {
        return Math.clamp(ask(() -> cookie.nextHeld(from, to), to), from, to);
    }

    @Override
    public long nextMissing(long from, long to) {
        return Math.clamp(ask(() -> cookie.nextMissing(from, to), from), from, to);
    }

    @Override
    public Destination reads() {
        return BackEnd.destination(cookie::reads, this::breakOff);
    }

    @Override
    public Destination writes() {
        return BackEnd.destination(cookie::writes, this::breakOff);
    }

    @Override
    public void discard(long from, long to) {
        tell(() -> cookie.discard(from, to));
    }

    @Override
    public void setVersion(String version) {
        tell(() -> cookie.setVersion(version));
    }

    @Override
    public void close() {
        try {
            cookie.close();
        } catch (RuntimeException e) {
            breakOff(e);
        }
    }
}
