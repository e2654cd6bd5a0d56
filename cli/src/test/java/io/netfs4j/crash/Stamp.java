// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The bytes of one cell of a file: they say which file they were written to, by which write and
 * where, and whether they are whole. So whatever is found tells where it comes from.
 *
 * @param file its number
 * @param sequence the number of the write; 0 is a cell of zeros that nobody wrote
 * @param offset in the file
 */
record Stamp(int file, int sequence, long offset) {
    /** All writes begin and end at multiples of it. */
    static final int CELL_BYTES = 64;

    private static final long MAGIC = 0x6e65746673346a21L;
    private static final int CHECKED_BYTES = CELL_BYTES - Integer.BYTES;

    /** Nothing of ours: torn, or of nowhere. */
    static final Stamp BROKEN = new Stamp(-1, -1, -1);

    private static final Stamp ZEROS = new Stamp(0, 0, -1);

    /** What one write of so many bytes writes. */
    static ByteBuffer payload(int file, int sequence, long offset, int bytes) {
        ByteBuffer payload = ByteBuffer.allocateDirect(bytes);
        for (int at = 0; at < bytes; at += CELL_BYTES) {
            new Stamp(file, sequence, offset + at).put(payload);
        }
        return payload.flip();
    }

    private void put(ByteBuffer to) {
        int begin = to.position();
        to.putLong(MAGIC).putInt(file).putInt(sequence).putLong(offset);
        long filler = (MAGIC ^ offset) * 31 + sequence;
        while (to.position() < begin + CHECKED_BYTES - Integer.BYTES) {
            filler = filler * 6364136223846793005L + 1442695040888963407L;
            to.putInt((int) (filler >>> 32));
        }
        to.putInt(file ^ sequence);
        to.putInt(check(to, begin));
    }

    private static int check(ByteBuffer bytes, int begin) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.duplicate().position(begin).limit(begin + CHECKED_BYTES));
        return (int) crc.getValue();
    }

    /** What a cell holds. */
    static Stamp read(ByteBuffer bytes, int begin) {
        boolean zeros = true;
        for (int at = begin; at < begin + CELL_BYTES && zeros; at += Long.BYTES) {
            zeros = bytes.getLong(at) == 0;
        }
        if (zeros) {
            return ZEROS;
        }
        if (bytes.getLong(begin) != MAGIC
                || bytes.getInt(begin + CHECKED_BYTES) != check(bytes, begin)) {
            return BROKEN;
        }
        return new Stamp(
                bytes.getInt(begin + Long.BYTES),
                bytes.getInt(begin + Long.BYTES + Integer.BYTES),
                bytes.getLong(begin + 2 * Long.BYTES));
    }
}
