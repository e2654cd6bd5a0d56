// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.vfs.CachedVfs;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Looks for locks that are held where a task gives way. All tasks of a world share one thread, so
 * such a lock would let the next task in as if it were the same; in the real world it would be held
 * across a wait.
 */
final class HeldLocks {
    private final List<ReentrantLock> fixed = new ArrayList<>();
    private final Map<?, ?> inodes;
    private final Map<Object, ReentrantLock> known = new HashMap<>();

    HeldLocks(CachedVfs vfs) {
        Object parts = get(vfs, "parts");
        Object table = get(parts, "table");
        inodes = (Map<?, ?>) get(table, "byNumber");
        for (String part : new String[] {"cache", "engine", "table", "gate"}) {
            addLocks(get(parts, part));
        }
        Object cache = get(parts, "cache");
        for (String part : new String[] {"pool", "writers", "readers"}) {
            addLocks(get(cache, part));
        }
        Object engine = get(parts, "engine");
        addLocks(get(engine, "flusher"));
        for (String part : new String[] {"inFlight", "cacheInFlight", "fills", "reads"}) {
            addLocks(get(engine, part));
        }
    }

    void requireNone() {
        for (ReentrantLock lock : fixed) {
            require(lock, "mount");
        }
        for (Map.Entry<?, ?> entry : inodes.entrySet()) {
            ReentrantLock lock = known.get(entry.getKey());
            if (lock == null) {
                lock = (ReentrantLock) get(entry.getValue(), "lock");
                known.put(entry.getKey(), lock);
            }
            require(lock, entry.getValue());
        }
    }

    /** All inodes that the mount knows, as they come and go. */
    Collection<?> all() {
        return inodes.values();
    }

    /** What is known of the inodes that are left, for the report of a leak. */
    String inodes() {
        StringBuilder text = new StringBuilder();
        for (Object inode : inodes.values()) {
            text.append("; ").append(inode);
            for (String name : new String[] {"lookups", "openCount", "hidden"}) {
                text.append(' ').append(name).append(' ').append(get(inode, name));
            }
            Object data = get(inode, "data");
            if (data != null) {
                for (String name : new String[] {"writing", "waiting", "reads", "file"}) {
                    text.append(' ').append(name).append(' ').append(get(data, name));
                }
            }
        }
        return text.toString();
    }

    /** Runs wherever somebody waits: says whose lock it is only when it has to. */
    private static void require(ReentrantLock lock, Object whose) {
        if (lock.isHeldByCurrentThread()) {
            throw new Violation("locks", "a lock is held where somebody waits; whose: " + whose);
        }
    }

    private void addLocks(Object of) {
        for (Field field : of.getClass().getDeclaredFields()) {
            if (field.getType() == ReentrantLock.class) {
                fixed.add((ReentrantLock) get(of, field.getName()));
            }
        }
    }

    private static @Nullable Object get(Object of, String name) {
        try {
            Field field = of.getClass().getDeclaredField(name);
            field.setAccessible(true);
            return field.get(of);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the simulator knows " + of.getClass() + " no more", e);
        }
    }
}
