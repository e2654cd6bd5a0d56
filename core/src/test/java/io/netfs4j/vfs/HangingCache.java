// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.cache.Cookie;
import io.netfs4j.cache.DiskCache;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.Proxy;

/** A disk cache that takes whatever it is given or asked for, and never answers. */
final class HangingCache implements DiskCache, Destination {
    private static final int ESTIMATE_BYTES = 1 << 20;

    private final int granuleBytes;

    /** Whether files that are used first now are cached. */
    volatile boolean hangs = true;

    /** Whether it says that it holds every byte of them, or none. */
    volatile boolean holdsAll;

    HangingCache(int granuleBytes) {
        this.granuleBytes = granuleBytes;
    }

    @Override
    public @Nullable Cookie acquire(String key, @Nullable String version) {
        return hangs ? cookie() : null;
    }

    private Cookie cookie() {
        return (Cookie)
                Proxy.newProxyInstance(
                        Cookie.class.getClassLoader(),
                        new Class<?>[] {Cookie.class},
                        (self, method, arguments) ->
                                switch (method.getName()) {
                                    case "granuleBytes" -> granuleBytes;
                                    case "nextHeld" -> arguments[holdsAll ? 0 : 1];
                                    case "nextMissing" -> arguments[holdsAll ? 1 : 0];
                                    case "reads", "writes" -> this;
                                    default -> null;
                                });
    }

    @Override
    public int estimateBytes(long position) {
        return ESTIMATE_BYTES;
    }

    @Override
    public boolean issue(Subrequest offer, Runnable whenReady) {
        offer.take(offer.length());
        return true;
    }
}
