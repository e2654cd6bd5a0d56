// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.util.Map;

/**
 * What the disk throws, in the words of errno. The JDK tells of most errors by their text alone.
 */
final class JournalErrors {
    private static final Map<String, FsError> BY_TEXT =
            Map.of(
                    "No space left on device", FsError.ENOSPC,
                    "Disk quota exceeded", FsError.EDQUOT,
                    "Read-only file system", FsError.EROFS,
                    "File too large", FsError.EFBIG);

    private JournalErrors() {}

    static FsException of(String what, Exception e) {
        return new FsException(error(e.getMessage()), what + ": " + e.getMessage(), e);
    }

    /** Whether there is no room, and nothing else is the matter. */
    static boolean isFull(Exception e) {
        FsError error = error(e.getMessage());
        return error == FsError.ENOSPC || error == FsError.EDQUOT;
    }

    private static FsError error(@Nullable String text) {
        if (text != null) {
            for (Map.Entry<String, FsError> known : BY_TEXT.entrySet()) {
                if (text.endsWith(known.getKey())) {
                    return known.getValue();
                }
            }
        }
        return FsError.EIO;
    }
}
