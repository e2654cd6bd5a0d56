// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * How the journal lies on disk, little endian throughout. A segment is a file; it begins with a
 * header, and records follow one another, each on a multiple of 8.
 *
 * <pre>
 *  segment header, 4096 bytes           record header, 64 bytes
 *   0  u64 magic "NFSJ0001"              0  u32 magic "RECD"
 *   8  u32 version                       4  u8  type    5 u8 flags    6 u16 header bytes
 *  12  u32 0                             8  u64 LSN, one more than the one before
 *  16  u64 number of the segment        16  u64 file
 *  24  u64 salt, of this use of it      24  u64 LSN that it refers to, or 0
 *  32  u64 u64 identity of the journal  32  u64 offset in the file
 *  48  u64 first LSN                    40  u64 another offset, or size of the file afterwards
 *  56  u64 0                            48  u32 payload bytes   52 u32 CRC32C of the payload
 *  64  u32 CRC32C of 0..63              56  u32 LSN less the last one known to be forced
 *                                       60  u32 CRC32C of 0..59 and the salt
 *                                       64  payload, zeros to the next multiple of 8
 * </pre>
 *
 * The salt is drawn anew each time that a segment's file is used again, so that what the file held
 * before never looks like records of now.
 */
final class JournalFormat {
    static final int SEGMENT_HEADER_BYTES = 4096;
    static final int RECORD_HEADER_BYTES = 64;
    static final int ALIGNMENT = 8;

    /** The largest payload: what a read of any part of it costs, for all of it is checked. */
    static final int PAYLOAD_BYTES_MAX = 128 << 10;

    static final int RECORD_BYTES_MAX = RECORD_HEADER_BYTES + PAYLOAD_BYTES_MAX;

    /** Who does not know the type of a record must not go on without it. */
    static final byte FLAG_MUST_UNDERSTAND = 1;

    private static final long SEGMENT_MAGIC = 0x3130_3030_4a53_464eL; // "NFSJ0001"
    private static final int RECORD_MAGIC = 0x4443_4552; // "RECD"
    private static final int VERSION = 1;
    private static final int SEGMENT_CHECKED_BYTES = 64;
    private static final int RECORD_CHECKED_BYTES = 60;

    private JournalFormat() {}

    /**
     * What a segment says of itself.
     *
     * @param journalHigh with {@code journalLow} the identity of the journal
     */
    record SegmentHeader(long number, long salt, long journalHigh, long journalLow, long firstLsn) {
        void put(ByteBuffer to) {
            int at = to.position();
            to.order(ByteOrder.LITTLE_ENDIAN);
            to.putLong(SEGMENT_MAGIC).putInt(VERSION).putInt(0).putLong(number).putLong(salt);
            to.putLong(journalHigh).putLong(journalLow).putLong(firstLsn).putLong(0);
            to.putInt(crc(to, at, SEGMENT_CHECKED_BYTES, null));
            while (to.position() < at + SEGMENT_HEADER_BYTES) {
                to.putInt(0);
            }
        }

        /** What is at the position of a buffer; null when that is no header of this version. */
        static @Nullable SegmentHeader get(ByteBuffer from) {
            int at = from.position();
            from.order(ByteOrder.LITTLE_ENDIAN);
            if (from.remaining() < SEGMENT_CHECKED_BYTES + Integer.BYTES
                    || from.getLong(at) != SEGMENT_MAGIC
                    || from.getInt(at + 8) != VERSION
                    || from.getInt(at + SEGMENT_CHECKED_BYTES)
                            != crc(from, at, SEGMENT_CHECKED_BYTES, null)) {
                return null;
            }
            return new SegmentHeader(
                    from.getLong(at + 16),
                    from.getLong(at + 24),
                    from.getLong(at + 32),
                    from.getLong(at + 40),
                    from.getLong(at + 48));
        }
    }

    /**
     * What a record says before its payload.
     *
     * @param payloadCrc of {@code length} bytes
     * @param unforced the LSN less the last one that was known to be forced when it was written
     */
    record RecordHeader(
            byte type,
            byte flags,
            long lsn,
            long file,
            long reference,
            long offset,
            long end,
            int length,
            int payloadCrc,
            int unforced) {
        /** The bytes that it takes with its payload. */
        int recordBytes() {
            return JournalFormat.recordBytes(length);
        }

        void put(ByteBuffer to, long salt) {
            int at = to.position();
            to.order(ByteOrder.LITTLE_ENDIAN);
            to.putInt(RECORD_MAGIC).put(type).put(flags).putShort((short) RECORD_HEADER_BYTES);
            to.putLong(lsn).putLong(file).putLong(reference).putLong(offset).putLong(end);
            to.putInt(length).putInt(payloadCrc).putInt(unforced);
            to.putInt(crc(to, at, RECORD_CHECKED_BYTES, salt));
        }

        /**
         * What is at a place of a buffer; null when that is no header of a record of that segment,
         * or of one that would not end within {@code limit} bytes from there.
         */
        static @Nullable RecordHeader get(ByteBuffer from, int at, long salt, long limit) {
            from.order(ByteOrder.LITTLE_ENDIAN);
            if (at + RECORD_HEADER_BYTES > from.limit()
                    || from.getInt(at) != RECORD_MAGIC
                    || from.getShort(at + 6) != RECORD_HEADER_BYTES
                    || from.getInt(at + RECORD_CHECKED_BYTES)
                            != crc(from, at, RECORD_CHECKED_BYTES, salt)) {
                return null;
            }
            RecordHeader header =
                    new RecordHeader(
                            from.get(at + 4),
                            from.get(at + 5),
                            from.getLong(at + 8),
                            from.getLong(at + 16),
                            from.getLong(at + 24),
                            from.getLong(at + 32),
                            from.getLong(at + 40),
                            from.getInt(at + 48),
                            from.getInt(at + 52),
                            from.getInt(at + 56));
            boolean fits =
                    header.length >= 0
                            && header.length <= PAYLOAD_BYTES_MAX
                            && header.recordBytes() <= limit;
            return fits ? header : null;
        }
    }

    static int recordBytes(int payloadBytes) {
        return RECORD_HEADER_BYTES + ((payloadBytes + ALIGNMENT - 1) & -ALIGNMENT);
    }

    static int payloadCrc(ByteBuffer payload) {
        CRC32C crc = new CRC32C();
        crc.update(payload.duplicate());
        return (int) crc.getValue();
    }

    private static int crc(ByteBuffer of, int at, int count, @Nullable Long salt) {
        CRC32C crc = new CRC32C();
        crc.update(of.duplicate().position(at).limit(at + count));
        if (salt != null) {
            ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).putLong(0, salt);
            crc.update(bytes);
        }
        return (int) crc.getValue();
    }
}
