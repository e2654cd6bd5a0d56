// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/** Attributes to set; null leaves one as it is. */
public record AttributeChange(
        @Nullable Integer mode,
        @Nullable Integer uid,
        @Nullable Integer gid,
        @Nullable Long sizeBytes,
        @Nullable Instant accessed,
        @Nullable Instant modified) {
    public static final AttributeChange NONE =
            new AttributeChange(null, null, null, null, null, null);

    public static AttributeChange size(long bytes) {
        return new AttributeChange(null, null, null, bytes, null, null);
    }

    public static AttributeChange times(@Nullable Instant accessed, @Nullable Instant modified) {
        return new AttributeChange(null, null, null, null, accessed, modified);
    }

    public boolean isEmpty() {
        return equals(NONE);
    }

    public AttributeChange withoutSize() {
        return new AttributeChange(mode, uid, gid, null, accessed, modified);
    }
}
