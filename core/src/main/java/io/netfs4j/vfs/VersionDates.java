// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;

/**
 * The modification times that versions of one file have had, where the server's times are coarse:
 * ours must not look like one that somebody may have seen before. So what is saved within the same
 * second as the version before is dated a second later than that.
 *
 * <p>After another client's version always, for of its other versions we know nothing. After one of
 * ours only where size and time are those of one that we have seen, and not further ahead of the
 * clock than {@link #AHEAD_MAX}: who saves a hundred times in a second is not to have a file of
 * tomorrow.
 */
final class VersionDates {
    /** So far in the future may a file be that is saved again and again within a second. */
    static final Duration AHEAD_MAX = Duration.ofSeconds(2);

    /** So far may the server's clock and ours be apart. */
    private static final Duration CLOCKS_APART = Duration.ofMillis(500);

    /** A time that is further ahead than this was not made by saving; ours is another anyway. */
    private static final Duration NEAR = Duration.ofMinutes(1);

    private static final int SEEN_MAX = 16;

    private record Seen(Instant modified, long sizeBytes) {}

    private final ArrayDeque<Seen> seen = new ArrayDeque<>();

    /** Of what the server has now. */
    @GuardedBy("inode lock")
    private @Nullable Instant last;

    @GuardedBy("inode lock")
    private boolean isOurs;

    /**
     * The latest of another client's versions, and of ours; the first moment where there is none.
     */
    @GuardedBy("inode lock")
    private Instant latestTheirs = Instant.MIN;

    @GuardedBy("inode lock")
    private Instant latestOurs = Instant.MIN;

    /** Another client's version was seen within its own second: it may have been changed since. */
    @GuardedBy("inode lock")
    private boolean isUnproven;

    /** What the server has of another client. */
    @GuardedBy("inode lock")
    void theirs(ServerAttributes a, Instant now, long granuleNanos) {
        has(a, false);
        latestTheirs = later(latestTheirs, a.modified());
        isUnproven = unprovenNanos(now, granuleNanos) > 0;
    }

    /** What the server has of ours. */
    @GuardedBy("inode lock")
    void ours(ServerAttributes a) {
        has(a, true);
        latestOurs = later(latestOurs, a.modified());
        isUnproven = false;
    }

    /** For how long another client's version may be changed and look the same; 0 when it cannot. */
    @GuardedBy("inode lock")
    long unprovenNanos(Instant now, long granuleNanos) {
        Instant version = last;
        if (isOurs || version == null || version.isAfter(now.plus(CLOCKS_APART))) {
            return 0;
        }
        Instant end = version.plusNanos(granuleNanos).plus(CLOCKS_APART);
        return Math.max(0, Duration.between(now, end).toNanos());
    }

    /** Whether what was read of the version that stands may be of one that looked the same. */
    @GuardedBy("inode lock")
    boolean isUnproven() {
        return isUnproven;
    }

    /** Nothing is left that was read of it. */
    @GuardedBy("inode lock")
    void prove() {
        isUnproven = false;
    }

    private static Instant later(Instant a, Instant b) {
        return a.isBefore(b) ? b : a;
    }

    @GuardedBy("inode lock")
    private void has(ServerAttributes a, boolean ours) {
        last = a.modified();
        isOurs = ours;
        Seen now = new Seen(a.modified(), a.sizeBytes());
        seen.remove(now);
        seen.addLast(now);
        if (seen.size() > SEEN_MAX) {
            seen.removeFirst();
        }
    }

    /**
     * When a version is to be dated that would be of the time wanted.
     *
     * @param granuleNanos the server's
     */
    @GuardedBy("inode lock")
    Instant distinct(Instant wanted, long sizeBytes, Instant now, long granuleNanos) {
        Instant near = wanted.plus(NEAR);
        Instant date = wanted;
        if (latestOurs.isBefore(near)) {
            date = later(date, latestOurs);
        }
        if (latestTheirs.isBefore(near) && !latestTheirs.isBefore(date)) {
            date = latestTheirs.plusNanos(granuleNanos);
        }
        Instant latest = now.plus(AHEAD_MAX).minusNanos(granuleNanos);
        while (seen.contains(new Seen(date, sizeBytes)) && !date.isAfter(latest)) {
            date = date.plusNanos(granuleNanos);
        }
        return date;
    }
}
