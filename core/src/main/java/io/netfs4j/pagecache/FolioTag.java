// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import org.jspecify.annotations.Nullable;

/**
 * What a folio owes, and to whom. It follows from the folio's spans and is assigned in one place,
 * {@link Folios#settle}, through one transition function, {@link #to}.
 *
 * <pre>
 *   Clean       --write-->      Dirty         Dirty       --take all-->   Writeback
 *   Clean       --fetched-->    CopyToCache   Dirty       --take part-->  Redirtied
 *   CopyToCache --taken-->      Clean         Writeback   --write-->      Redirtied
 *   CopyToCache --write-->      Dirty         Writeback   --end, sent-->  Clean or CopyToCache
 *   Dirty       --cut-->        Clean or      Writeback   --end, failed-> Dirty
 *                               CopyToCache   Redirtied   --end-->        Dirty
 *                                             Redirtied   --take rest-->  Writeback
 * </pre>
 */
public sealed interface FolioTag {
    /** Owes nothing; may be reclaimed when nobody uses it. */
    Clean CLEAN = new Clean();

    /** Owes bytes to the disk cache only; may be reclaimed as well, and is then not cached. */
    CopyToCache COPY_TO_CACHE = new CopyToCache();

    record Clean() implements FolioTag {}

    record CopyToCache() implements FolioTag {}

    /** Dirty spans, none in flight. */
    record Dirty(WriteGroup group) implements FolioTag {}

    /** Spans in flight, none dirty. */
    record Writeback(WriteGroup group) implements FolioTag {}

    /** Spans in flight, and other (or newer) bytes dirty. */
    record Redirtied(WriteGroup group) implements FolioTag {}

    /** The tag of a folio with such spans. */
    static FolioTag of(
            boolean dirty, boolean writeback, boolean uncached, @Nullable WriteGroup group) {
        if (group == null || !(dirty || writeback)) {
            if (dirty || writeback) {
                throw new IllegalStateException("unsent bytes of no group");
            }
            return uncached ? COPY_TO_CACHE : CLEAN;
        }
        if (writeback) {
            return dirty ? group.redirtied : group.writeback;
        }
        return group.dirty;
    }

    /** The group that it owes data of, or null. */
    default @Nullable WriteGroup groupOrNull() {
        return switch (this) {
            case Clean c -> null;
            case CopyToCache c -> null;
            case Dirty(WriteGroup g) -> g;
            case Writeback(WriteGroup g) -> g;
            case Redirtied(WriteGroup g) -> g;
        };
    }

    default boolean isDirty() {
        return this instanceof Dirty || this instanceof Redirtied;
    }

    default boolean isUnderWriteback() {
        return this instanceof Writeback || this instanceof Redirtied;
    }

    /**
     * The transition function: gives {@code next} when a folio may go there from here in one step.
     *
     * @throws IllegalStateException when it may not
     */
    default FolioTag to(FolioTag next) {
        boolean may =
                switch (this) {
                    case Clean c -> !next.isUnderWriteback();
                    case CopyToCache c -> !next.isUnderWriteback();
                    case Dirty d -> staysIn(next);
                    case Writeback w -> staysIn(next);
                    // What is dirty and what is in flight do not both end in one step.
                    case Redirtied r -> next.groupOrNull() != null && staysIn(next);
                };
        if (!may) {
            throw new IllegalStateException("a folio goes from " + this + " to " + next);
        }
        return next;
    }

    /** Whether the next tag owes nothing of another group. */
    @SuppressWarnings("ReferenceEquality") // a group is one object
    private boolean staysIn(FolioTag next) {
        WriteGroup other = next.groupOrNull();
        return other == null || other == groupOrNull();
    }
}
