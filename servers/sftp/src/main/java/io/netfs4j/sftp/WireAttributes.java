// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.FileType;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/**
 * ATTRS of the protocol: what is present is said by flags; null here. Times are whole seconds of 32
 * bits without sign, 1970 to 2106.
 *
 * <p><b>Source</b>: draft-ietf-secsh-filexfer-02, section 5.
 */
record WireAttributes(
        @Nullable Long sizeBytes,
        @Nullable Integer uid,
        @Nullable Integer gid,
        @Nullable Integer permissions,
        @Nullable Long accessedSeconds,
        @Nullable Long modifiedSeconds) {

    static final WireAttributes NONE = new WireAttributes(null, null, null, null, null, null);

    /** Times on the wire are as fine as this. */
    static final long TIME_GRANULARITY_NANOS = 1_000_000_000L;

    private static final long SECONDS_MAX = 0xFFFF_FFFFL;
    private static final int MODE_MASK = 07777;
    private static final int TYPE_MASK = 0170000;
    private static final int TYPE_DIRECTORY = 0040000;
    private static final int TYPE_REGULAR = 0100000;
    private static final int TYPE_SYMLINK = 0120000;

    /** Extensions a server may attach to attributes; they are read and dropped. */
    private static final int EXTENSIONS_MAX = 64;

    static WireAttributes ofMode(int mode) {
        return new WireAttributes(null, null, null, mode & MODE_MASK, null, null);
    }

    static WireAttributes ofOwners(int uid, int gid) {
        return new WireAttributes(null, uid, gid, null, null, null);
    }

    /** Size and mode of a change. */
    static WireAttributes ofSizeAndMode(AttributeChange change) {
        Integer mode = change.mode();
        return new WireAttributes(
                change.sizeBytes(), null, null, mode == null ? null : mode & MODE_MASK, null, null);
    }

    static WireAttributes ofTimes(Instant accessed, Instant modified) {
        return new WireAttributes(null, null, null, null, seconds(accessed), seconds(modified));
    }

    private static long seconds(Instant time) {
        return Math.clamp(time.getEpochSecond(), 0, SECONDS_MAX);
    }

    boolean isEmpty() {
        return equals(NONE);
    }

    void write(PacketWriter to) {
        boolean owners = uid != null && gid != null;
        boolean times = accessedSeconds != null && modifiedSeconds != null;
        to.u32(
                (sizeBytes != null ? Protocol.ATTR_SIZE : 0)
                        | (owners ? Protocol.ATTR_OWNERS : 0)
                        | (permissions != null ? Protocol.ATTR_PERMISSIONS : 0)
                        | (times ? Protocol.ATTR_TIMES : 0));
        if (sizeBytes != null) {
            to.u64(sizeBytes);
        }
        if (uid != null && gid != null) {
            to.u32(uid).u32(gid);
        }
        if (permissions != null) {
            to.u32(permissions);
        }
        if (accessedSeconds != null && modifiedSeconds != null) {
            to.u32((int) (long) accessedSeconds).u32((int) (long) modifiedSeconds);
        }
    }

    static WireAttributes read(PacketReader from) throws ProtocolViolation {
        int flags = from.u32();
        Long size = (flags & Protocol.ATTR_SIZE) != 0 ? from.size() : null;
        boolean owners = (flags & Protocol.ATTR_OWNERS) != 0;
        Integer uid = owners ? from.u32() : null;
        Integer gid = owners ? from.u32() : null;
        Integer permissions = (flags & Protocol.ATTR_PERMISSIONS) != 0 ? from.u32() : null;
        boolean times = (flags & Protocol.ATTR_TIMES) != 0;
        Long accessed = times ? from.u32() & SECONDS_MAX : null;
        Long modified = times ? from.u32() & SECONDS_MAX : null;
        if ((flags & Protocol.ATTR_EXTENDED) != 0) {
            int count = from.u32();
            if (count < 0 || count > EXTENSIONS_MAX) {
                throw new ProtocolViolation("attributes with " + count + " extensions");
            }
            for (int i = 0; i < count; i++) {
                from.skipString();
                from.skipString();
            }
        }
        return new WireAttributes(size, uid, gid, permissions, accessed, modified);
    }

    /**
     * In the SPI's words.
     *
     * @throws ProtocolViolation when the server does not say what kind of file it is
     */
    ServerAttributes toServer() throws ProtocolViolation {
        if (permissions == null) {
            throw new ProtocolViolation("attributes without a file type");
        }
        FileType type =
                switch (permissions & TYPE_MASK) {
                    case TYPE_REGULAR -> FileType.REGULAR;
                    case TYPE_DIRECTORY -> FileType.DIRECTORY;
                    case TYPE_SYMLINK -> FileType.SYMLINK;
                    default -> FileType.OTHER;
                };
        long size = sizeBytes == null ? 0 : sizeBytes;
        Instant modified = Instant.ofEpochSecond(modifiedSeconds == null ? 0 : modifiedSeconds);
        Instant accessed = Instant.ofEpochSecond(accessedSeconds == null ? 0 : accessedSeconds);
        return new ServerAttributes(
                type,
                size,
                permissions & MODE_MASK,
                uid == null ? 0 : uid,
                gid == null ? 0 : gid,
                1,
                accessed,
                modified,
                modified,
                0,
                CoherencyToken.of(modified, size));
    }
}
