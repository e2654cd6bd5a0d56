// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/**
 * What {@link CommonOption}s say, as values.
 *
 * @param fsname null shows the remote
 * @param uid null shows the server's, as do {@code gid} and {@code umask}
 * @param entryNanos null leaves it to the file system, as does {@code attributesNanos}
 * @param memoryBytesMax of the page cache
 * @param dirtyBytesMax at most as much as the former
 * @param softTimeoutNanos 0 waits for a lost server without end
 */
record CommonSettings(
        boolean readOnly,
        boolean allowOther,
        @Nullable String fsname,
        @Nullable Integer uid,
        @Nullable Integer gid,
        @Nullable Integer umask,
        @Nullable Long entryNanos,
        @Nullable Long attributesNanos,
        boolean kernelWritebackCache,
        long memoryBytesMax,
        long dirtyBytesMax,
        boolean closeWaits,
        boolean syncWrites,
        long softTimeoutNanos) {

    static final long MEMORY_BYTES_DEFAULT = 256L << 20;
    static final long DIRTY_BYTES_DEFAULT = 128L << 20;

    /** Two of the largest folios: one is written to while the other is sent. */
    private static final long MEMORY_BYTES_MIN = 8L << 20;

    private static final long DIRTY_BYTES_MIN = 4L << 20;
    private static final long BYTES_MAX = 1L << 40;
    private static final long SOFT_NANOS_DEFAULT = 60_000_000_000L;

    static CommonSettings of(Map<String, List<String>> options) throws CommandFailure {
        OptionReader reader = new OptionReader(options);
        refuseConflicts(reader);
        reader.flag(CommonOption.DEFAULT_PERMISSIONS.word());
        long memory =
                reader.bytes(
                        CommonOption.MEMORY_MAX.word(),
                        MEMORY_BYTES_MIN,
                        BYTES_MAX,
                        MEMORY_BYTES_DEFAULT);
        long dirty = reader.bytes(CommonOption.DIRTY_MAX.word(), DIRTY_BYTES_MIN, BYTES_MAX, 0);
        if (dirty == 0) {
            dirty = memory == MEMORY_BYTES_DEFAULT ? DIRTY_BYTES_DEFAULT : memory / 2;
        } else if (options.containsKey(CommonOption.MEMORY_MAX.word())) {
            if (dirty > memory) {
                throw OptionReader.wrong(
                        CommonOption.DIRTY_MAX.word(),
                        Quantity.bytes(dirty),
                        "more than memory_max, of which it is a part");
            }
        } else {
            memory = Math.max(memory, dirty + dirty / 4);
        }
        return new CommonSettings(
                reader.flag(CommonOption.RO.word()),
                reader.flag(CommonOption.ALLOW_OTHER.word()),
                reader.text(CommonOption.FSNAME.word()),
                reader.id(CommonOption.UID.word()),
                reader.id(CommonOption.GID.word()),
                reader.octal(CommonOption.UMASK.word()),
                reader.nanos(CommonOption.ENTRY_TIMEOUT.word()),
                reader.nanos(CommonOption.ATTR_TIMEOUT.word()),
                reader.flag(CommonOption.WRITEBACK_CACHE.word()),
                memory,
                dirty,
                "server".equals(reader.text(CommonOption.CLOSE.word())),
                reader.flag(CommonOption.SYNC.word()),
                softNanos(reader));
    }

    private static void refuseConflicts(OptionReader reader) throws CommandFailure {
        String close = reader.text(CommonOption.CLOSE.word());
        if (close != null && !close.equals("server")) {
            throw OptionReader.wrong(CommonOption.CLOSE.word(), close, "write close=server");
        }
        String timeout = reader.text(CommonOption.TIMEOUT.word());
        if (timeout != null && !reader.flag(CommonOption.SOFT.word())) {
            throw OptionReader.wrong(
                    CommonOption.TIMEOUT.word(), timeout, "only with soft: -o soft,timeout=60");
        }
        if (reader.flag(CommonOption.RO.word()) && reader.text("rw") != null) {
            throw OptionReader.wrong("rw", "", "not together with ro");
        }
    }

    private static long softNanos(OptionReader reader) throws CommandFailure {
        if (!reader.flag(CommonOption.SOFT.word())) {
            return 0;
        }
        Long nanos = reader.nanos(CommonOption.TIMEOUT.word());
        if (nanos == null) {
            return SOFT_NANOS_DEFAULT;
        }
        if (nanos == 0) {
            throw OptionReader.wrong(
                    CommonOption.TIMEOUT.word(), "0", "more than 0, or leave soft out");
        }
        return nanos;
    }
}
