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
    private boolean broken;

    private CarefulCookie(Cookie cookie) {
        this.cookie = cookie;
    }

    /** The cookie that is opened; null when there is none, or opening it throws. */
    static @Nullable CarefulCookie open(Supplier<@Nullable Cookie> opens) {
        try {
            Cookie opened = opens.get();
            return opened == null ? null : new CarefulCookie(opened);
        } catch (RuntimeException e) {
            BackEnd.report("the disk cache", e);
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
        return (int) ask(cookie::granuleBytes, 1);
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
