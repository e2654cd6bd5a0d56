// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * How the map of one file lies on disk, little endian throughout. The file's blocks are in the data
 * file of the same number, each where it is in the file, or in segments that a journal wrote; of
 * what the map does not name nothing is believed, whatever is there.
 *
 * <pre>
 *   0  u64 magic "NFSC0001"            48  u64 blocks that are held
 *   8  u32 version of this format      56  u64 blocks that have space in the data file
 *  12  u32 bytes of this header        64  u16 characters of the key
 *  16  u64 number of the file          66  u16 characters of the version text
 *  24  u64 last use, seconds           68  u32 chunks with blocks in segments
 *  32  u32 chunks                      72  u64 blocks that lie in segments
 *                                      80  u64 highest number of any of those segments
 *                                      88  key and version text, UTF-16
 *  36  u32 CRC32C of all chunks            u32 CRC32C of all before
 *  40  u64 block behind the last held
 *
 *  chunk: 64 blocks, as often as there are any, ascending
 *   0  u64 index                       24  u64 which lie in segments
 *   8  u64 which are held              32  64 times u32 CRC32C of the block, see ContentMap.seed
 *  16  u64 which have space in the         then, where any lies in a segment, 64 times
 *      data file                           u32 where that block begins in it, u32 its number
 * </pre>
 *
 * Names are no valid UTF-16 always, and must come back as they were.
 */
final class MapFormat {
    /** More than any path that Linux takes; and what no coherency token comes near to. */
    static final int TEXT_CHARS_MAX = 4096;

    static final int FIXED_BYTES = 88;
    static final int HEADER_BYTES_MAX =
            FIXED_BYTES + 2 * TEXT_CHARS_MAX * Character.BYTES + Integer.BYTES;

    private static final long MAGIC = 0x3130_3030_4353_464eL; // "NFSC0001"
    private static final int VERSION = 2;

    private MapFormat() {}

    /** What a map says before its chunks. */
    record Header(
            long number,
            String key,
            String version,
            long usedSeconds,
            int chunks,
            int placingChunks,
            int chunksCrc,
            long heldEnd,
            long heldBlocks,
            long allocatedBlocks,
            long placedBlocks,
            long lastSegment) {
        int bytes() {
            return FIXED_BYTES
                    + (key.length() + version.length()) * Character.BYTES
                    + Integer.BYTES;
        }

        /** The bytes of the whole map. */
        long mapBytes() {
            return bytes()
                    + (long) chunks * ContentMap.CHUNK_RECORD_BYTES
                    + (long) placingChunks * ContentMap.PLACES_RECORD_BYTES;
        }
    }

    static boolean mayBeText(String text) {
        return text.length() <= TEXT_CHARS_MAX;
    }

    /** A whole map. */
    static ByteBuffer encode(
            long number, String key, String version, long usedSeconds, ContentMap map) {
        int chunks = map.chunkCount();
        int placing = map.placingChunks();
        Header sized =
                new Header(number, key, version, usedSeconds, chunks, placing, 0, 0, 0, 0, 0, 0);
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(sized.mapBytes()));
        bytes.order(ByteOrder.LITTLE_ENDIAN).position(sized.bytes());
        map.put(bytes);
        int chunksCrc = crc(bytes, sized.bytes(), bytes.position());
        bytes.position(0);
        bytes.putLong(MAGIC).putInt(VERSION).putInt(sized.bytes());
        bytes.putLong(number).putLong(usedSeconds).putInt(chunks).putInt(chunksCrc);
        bytes.putLong(map.heldEnd()).putLong(map.heldBlocks()).putLong(map.allocatedBlocks());
        bytes.putShort((short) key.length()).putShort((short) version.length()).putInt(placing);
        bytes.putLong(map.placedBlocks()).putLong(map.lastSegment());
        putText(bytes, key);
        putText(bytes, version);
        bytes.putInt(crc(bytes, 0, bytes.position()));
        return bytes.position(0);
    }

    /** What a buffer begins with; null when that is no whole header of this version. */
    static @Nullable Header header(ByteBuffer from) {
        from.order(ByteOrder.LITTLE_ENDIAN);
        if (from.limit() < FIXED_BYTES + Integer.BYTES
                || from.getLong(0) != MAGIC
                || from.getInt(8) != VERSION) {
            return null;
        }
        int keyChars = Short.toUnsignedInt(from.getShort(64));
        int versionChars = Short.toUnsignedInt(from.getShort(66));
        int end = FIXED_BYTES + (keyChars + versionChars) * Character.BYTES;
        if (keyChars > TEXT_CHARS_MAX
                || versionChars > TEXT_CHARS_MAX
                || from.getInt(12) != end + Integer.BYTES
                || from.limit() < end + Integer.BYTES
                || from.getInt(end) != crc(from, 0, end)) {
            return null;
        }
        Header header =
                new Header(
                        from.getLong(16),
                        text(from, FIXED_BYTES, keyChars),
                        text(from, FIXED_BYTES + keyChars * Character.BYTES, versionChars),
                        from.getLong(24),
                        from.getInt(32),
                        from.getInt(68),
                        from.getInt(36),
                        from.getLong(40),
                        from.getLong(48),
                        from.getLong(56),
                        from.getLong(72),
                        from.getLong(80));
        return isPlausible(header) ? header : null;
    }

    /** Of another program's numbers, with the right checksum, nothing bad may come either. */
    private static boolean isPlausible(Header h) {
        long most = (long) h.chunks * ContentMap.CHUNK_BLOCKS;
        return h.chunks >= 0
                && h.placingChunks >= 0
                && h.placingChunks <= h.chunks
                && h.mapBytes() <= Integer.MAX_VALUE
                && h.heldBlocks >= 0
                && h.heldBlocks <= h.heldEnd
                && h.heldBlocks <= most
                && h.allocatedBlocks >= 0
                && h.allocatedBlocks <= most
                && h.placedBlocks >= 0
                && h.placedBlocks <= h.heldBlocks
                && h.lastSegment >= 0
                && h.lastSegment <= StoreSegments.NUMBER_MAX
                && h.heldEnd >= 0
                && h.heldEnd <= Long.MAX_VALUE >> ContentMap.BLOCK_SHIFT;
    }

    /** The chunks of a whole map; null when they are not what the header says. */
    static @Nullable ContentMap chunks(
            Header header, ByteBuffer whole, ContentMap.Released released) {
        if (whole.limit() != header.mapBytes()
                || crc(whole, header.bytes(), whole.limit()) != header.chunksCrc) {
            return null;
        }
        whole.order(ByteOrder.LITTLE_ENDIAN).position(header.bytes());
        ContentMap map = ContentMap.get(whole, header.chunks, header.placingChunks, released);
        return map != null
                        && map.heldBlocks() == header.heldBlocks
                        && map.allocatedBlocks() == header.allocatedBlocks
                        && map.placedBlocks() == header.placedBlocks
                        && map.placingChunks() == header.placingChunks
                        && map.heldEnd() == header.heldEnd
                ? map
                : null;
    }

    static void putText(ByteBuffer to, String text) {
        for (int i = 0; i < text.length(); i++) {
            to.putChar(text.charAt(i));
        }
    }

    static String text(ByteBuffer from, int at, int chars) {
        StringBuilder text = new StringBuilder(chars);
        for (int i = 0; i < chars; i++) {
            text.append(from.getChar(at + i * Character.BYTES));
        }
        return text.toString();
    }

    static int crc(ByteBuffer of, int from, int to) {
        CRC32C crc = new CRC32C();
        crc.update(of.duplicate().limit(to).position(from));
        return (int) crc.getValue();
    }

    /** The same for the same text at every mount, unlike others seldom; FNV-1a. */
    static long hash(String text) {
        long hash = 0xcbf2_9ce4_8422_2325L;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100_0000_01b3L;
        }
        return hash;
    }
}
