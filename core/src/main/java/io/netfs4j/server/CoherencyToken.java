// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

/**
 * What the server says identifies a version of a file: ETag, change attribute, data version, or
 * modification time and size. Two equal tokens stand for the same content as far as the server can
 * tell; the text means nothing beyond that.
 */
public record CoherencyToken(String text) {
    /** The weakest token: what every server has. */
    public static CoherencyToken of(java.time.Instant modified, long sizeBytes) {
        return new CoherencyToken(
                modified.getEpochSecond() + "." + modified.getNano() + ":" + sizeBytes);
    }
}
