// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.journal.JournalFormat.RecordHeader;
import io.netfs4j.cache.journal.JournalTail.Place;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What counts in the journal, file by file: the sum of its records, whether they are being appended
 * or found again.
 *
 * <p><b>Threads</b>: with the journal's lock held.
 */
final class JournalIndex implements JournalTail.Movement {
    private final ReentrantLock lock;

    @GuardedBy("lock")
    private final Map<Long, JournalledFile> files = new TreeMap<>();

    /** Files that were forgotten by records that are not forced yet. */
    @GuardedBy("lock")
    private final Map<Long, Long> unforcedForgets = new TreeMap<>();

    JournalIndex(ReentrantLock lock) {
        this.lock = lock;
    }

    @GuardedBy("lock")
    List<Long> numbers() {
        return new ArrayList<>(files.keySet());
    }

    @GuardedBy("lock")
    Collection<JournalledFile> files() {
        return files.values();
    }

    @GuardedBy("lock")
    @Nullable JournalledFile get(long file) {
        return files.get(file);
    }

    @GuardedBy("lock")
    JournalledFile known(long file) {
        return files.computeIfAbsent(file, JournalledFile::new);
    }

    /**
     * Bytes have come to a record.
     *
     * @param since the record that had them first; 0 where it is this one
     */
    @GuardedBy("lock")
    void written(long file, Place place, long since, long offset, int count, long sizeAfter) {
        JournalledFile known = known(file);
        if (count > 0) {
            long first = since == 0 ? place.lsn() : since;
            known.put(
                    new Extent(
                            offset,
                            count,
                            first,
                            place.lsn(),
                            place.segment(),
                            place.position(),
                            0));
        }
        known.sizeBytes = sizeAfter;
        known.lastLsn = place.lsn();
    }

    @GuardedBy("lock")
    void described(long file, Place place, long sizeBytes, byte[] facts) {
        JournalledFile known = known(file);
        known.setFacts(facts, place.segment(), place.lsn());
        known.sizeBytes = sizeBytes;
        known.lastLsn = place.lsn();
    }

    @GuardedBy("lock")
    void dropped(long file, long from, long to, long upToLsn, long lsn) {
        JournalledFile known = known(file);
        known.drop(from, to, upToLsn, lsn);
        known.lastLsn = lsn;
    }

    @GuardedBy("lock")
    void forgotten(long file, long lsn) {
        JournalledFile known = files.remove(file);
        if (known != null) {
            known.clear(lsn);
            unforcedForgets.put(file, lsn);
        }
    }

    /** Files that are known no more, by records that are not forced. */
    @GuardedBy("lock")
    List<Long> unforcedForgets() {
        List<Long> gone = new ArrayList<>(unforcedForgets.keySet());
        gone.removeIf(files::containsKey);
        return gone;
    }

    /** All records up to one are forced. */
    @GuardedBy("lock")
    void forced(long lsn) {
        unforcedForgets.values().removeIf(forget -> forget <= lsn);
    }

    @Override
    @GuardedBy("lock")
    public void moved(RecordHeader record, LogSegment from, Place to) {
        JournalledFile known = files.get(record.file());
        if (known != null) {
            known.moved(record.lsn(), from, to);
        }
    }

    /** Takes in a record that was found. */
    void replay(RecordHeader header, LogSegment segment, long position, ByteBuffer payload) {
        long file = header.file();
        lock.lock();
        try {
            Place place = new Place(header.lsn(), segment, position);
            switch (RecordType.of(header.type())) {
                case WRITE ->
                        written(
                                file,
                                place,
                                header.reference(),
                                header.offset(),
                                header.length(),
                                header.end());
                case FILE -> {
                    byte[] facts = new byte[header.length()];
                    payload.get(facts);
                    described(file, place, header.end(), facts);
                }
                case DROP ->
                        dropped(
                                file,
                                header.offset(),
                                header.end(),
                                header.reference(),
                                header.lsn());
                case FORGET -> forgotten(file, header.lsn());
                case REPEATED -> {}
                case null ->
                        throw new IllegalStateException(
                                "a later version wrote this: record of type " + header.type());
            }
        } finally {
            lock.unlock();
        }
    }
}
