// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.server.RemotePath;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A lock of ours; see {@link UploadLocks}.
 *
 * @param name in the lock directory
 * @param target whose it is: no two locks have the same
 * @param takenNanos when it was asked for; Long.MIN_VALUE where that is not known
 */
record UploadLock(String name, String target, long takenNanos) {
    /** 16 bytes of a digest, as names of the lock directory. */
    private static final int DIGEST_BYTES = 16;

    RemotePath path() {
        return UploadLocks.PLACE.child(name);
    }

    /** As the journal keeps it. */
    String text() {
        return name + "/" + target;
    }

    static @Nullable UploadLock parse(@Nullable String text) {
        int slash = text == null ? -1 : text.indexOf('/');
        return text == null || slash < 0
                ? null
                : new UploadLock(
                        text.substring(0, slash), text.substring(slash + 1), Long.MIN_VALUE);
    }

    /** Where the lock of a file is. */
    static RemotePath name(RemotePath path) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(path.toString().getBytes(StandardCharsets.UTF_8));
            return UploadLocks.PLACE.child(HexFormat.of().formatHex(digest, 0, DIGEST_BYTES));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has it", e);
        }
    }
}
