// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

/**
 * Bytes of a file that a record holds and no later one has replaced.
 *
 * @param offset in the file, in bytes
 * @param since the LSN under which they were written first: a record that was copied keeps that
 * @param lsn of the record
 * @param record where that begins in its segment
 * @param skip how many bytes of its payload come before these
 */
record Extent(
        long offset, int length, long since, long lsn, LogSegment segment, long record, int skip) {
    long end() {
        return offset + length;
    }

    /** Where in its segment they begin. */
    long payloadAt() {
        return record + JournalFormat.RECORD_HEADER_BYTES + skip;
    }

    /** The part of it in a range that meets it. */
    Extent slice(long from, long to) {
        long begin = Math.max(offset, from);
        int count = (int) (Math.min(end(), to) - begin);
        return new Extent(begin, count, since, lsn, segment, record, skip + (int) (begin - offset));
    }
}
