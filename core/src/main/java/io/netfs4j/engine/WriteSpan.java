// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Segment;
import io.netfs4j.pagecache.WritebackSpan;

import org.jspecify.annotations.Nullable;

/**
 * Bytes that the issuer has taken, from the moment it did until every stream has passed them.
 *
 * @param dirty whether they are what the request is for; else they fill a granule, or go to the
 *     disk cache only
 * @param pages what holds them, when that is the page cache
 * @param release gives back other memory, when it is counted
 */
record WriteSpan(
        long position,
        long end,
        Segment segment,
        boolean dirty,
        @Nullable WritebackSpan pages,
        @Nullable Runnable release,
        long lsn) {
    static WriteSpan of(WritebackSpan pages) {
        return of(pages, 0);
    }

    static WriteSpan of(WritebackSpan pages, long lsn) {
        return new WriteSpan(
                pages.position(), pages.end(), pages.segment(), pages.dirty(), pages, null, lsn);
    }
}
