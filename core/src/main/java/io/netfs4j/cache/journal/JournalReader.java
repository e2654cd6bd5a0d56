// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Disk;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.cache.journal.JournalFormat.RecordHeader;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;

/** Reads records back, whole, for only so they can be checked. */
final class JournalReader {
    private final ReentrantLock lock;
    private final int segmentBytes;

    JournalReader(ReentrantLock lock, int segmentBytes) {
        this.lock = lock;
        this.segmentBytes = segmentBytes;
    }

    /**
     * All of the payload of the record of an extent, which has been written, and whose segment
     * nobody takes away meanwhile.
     *
     * @throws FsException EIO when it is damaged, or cannot be read
     */
    ByteBuffer payload(Extent extent) throws FsException {
        LogSegment segment = extent.segment();
        Disk.File from;
        lock.lock();
        try {
            from = segment.file;
        } finally {
            lock.unlock();
        }
        String name = SegmentFiles.name(segment.number);
        if (from == null) {
            throw new FsException(FsError.EIO, name + " is not there");
        }
        try {
            ByteBuffer bytes = ByteBuffer.allocate(JournalFormat.RECORD_HEADER_BYTES);
            from.read(bytes, extent.record());
            long limit = segmentBytes - extent.record();
            RecordHeader header = RecordHeader.get(bytes.flip(), 0, segment.salt, limit);
            if (header != null && header.lsn() == extent.lsn()) {
                ByteBuffer payload = ByteBuffer.allocate(header.length());
                from.read(payload, extent.record() + JournalFormat.RECORD_HEADER_BYTES);
                if (JournalFormat.payloadCrc(payload.flip()) == header.payloadCrc()) {
                    return payload;
                }
            }
        } catch (IOException e) {
            throw JournalErrors.of(name + " cannot be read", e);
        }
        throw new FsException(
                FsError.EIO,
                name + " is damaged at " + extent.record() + ", in record " + extent.lsn());
    }
}
