// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.server.FileType;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.Entry;

import java.lang.foreign.MemorySegment;

/** Attributes and entries as the kernel wants them, with the owner and timeouts of the options. */
final class AttributeEncoder {
    static final int S_IFMT = 0xF000;
    static final int S_IFREG = 0x8000;
    private static final int S_IFDIR = 0x4000;
    private static final int S_IFLNK = 0xA000;
    private static final int S_IFSOCK = 0xC000;

    private static final int DT_DIR = 4;
    private static final int DT_REG = 8;
    private static final int DT_LNK = 10;
    private static final int DT_SOCK = 12;

    private static final int ALL_PERMISSIONS = 0777;
    private static final int SECTOR_BYTES = 512;
    private static final int BLOCK_BYTES = 4096;
    private static final long NANOS = 1_000_000_000L;

    private final FuseOptions.Owner owner;
    private final FuseOptions.Timeouts timeouts;

    AttributeEncoder(FuseOptions options) {
        owner = options.owner();
        timeouts = options.timeouts();
    }

    /** struct fuse_entry_out; all zeros but the time of validity when there is no such name. */
    void entry(MemorySegment out, long offset, Entry entry) {
        MemorySegment at = out.asSlice(offset, Wire.ENTRY_OUT_BYTES).fill((byte) 0);
        long entryNanos =
                timeouts.entryNanos() != null ? timeouts.entryNanos() : entry.entryValidNanos();
        Wire.u64(at, Wire.ENTRY_OUT_ENTRY_VALID, entryNanos / NANOS);
        Wire.u32(at, Wire.ENTRY_OUT_ENTRY_VALID_NSEC, (int) (entryNanos % NANOS));
        Attributes attributes = entry.attributes();
        if (attributes == null) {
            return;
        }
        long attributesNanos = attributesNanos(entry.attributesValidNanos());
        Wire.u64(at, Wire.ENTRY_OUT_NODEID, attributes.ino());
        Wire.u64(at, Wire.ENTRY_OUT_GENERATION, entry.generation());
        Wire.u64(at, Wire.ENTRY_OUT_ATTR_VALID, attributesNanos / NANOS);
        Wire.u32(at, Wire.ENTRY_OUT_ATTR_VALID_NSEC, (int) (attributesNanos % NANOS));
        attributes(at, Wire.ENTRY_OUT_ATTR, attributes);
    }

    /** struct fuse_attr_out. */
    void attrOut(MemorySegment out, Attributes attributes, long validNanos) {
        long nanos = attributesNanos(validNanos);
        Wire.u64(out, Wire.ATTR_OUT_VALID, nanos / NANOS);
        Wire.u64(out, Wire.ATTR_OUT_VALID_NSEC, nanos % NANOS);
        attributes(out, Wire.ATTR_OUT_ATTR, attributes);
    }

    /** The d_type of a directory entry. */
    static int direntType(FileType type) {
        return switch (type) {
            case REGULAR -> DT_REG;
            case DIRECTORY -> DT_DIR;
            case SYMLINK -> DT_LNK;
            case OTHER -> DT_SOCK;
        };
    }

    private long attributesNanos(long fileSystems) {
        return timeouts.attributesNanos() != null ? timeouts.attributesNanos() : fileSystems;
    }

    private void attributes(MemorySegment out, long at, Attributes a) {
        Wire.u64(out, at + Wire.ATTR_INO, a.ino());
        Wire.u64(out, at + Wire.ATTR_SIZE, a.sizeBytes());
        Wire.u64(
                out,
                at + Wire.ATTR_BLOCKS,
                a.sizeBytes() / SECTOR_BYTES + (a.sizeBytes() % SECTOR_BYTES == 0 ? 0 : 1));
        Wire.u64(out, at + Wire.ATTR_ATIME, a.accessed().getEpochSecond());
        Wire.u64(out, at + Wire.ATTR_MTIME, a.modified().getEpochSecond());
        Wire.u64(out, at + Wire.ATTR_CTIME, a.changed().getEpochSecond());
        Wire.u32(out, at + Wire.ATTR_ATIMENSEC, a.accessed().getNano());
        Wire.u32(out, at + Wire.ATTR_MTIMENSEC, a.modified().getNano());
        Wire.u32(out, at + Wire.ATTR_CTIMENSEC, a.changed().getNano());
        Wire.u32(out, at + Wire.ATTR_MODE, mode(a));
        Wire.u32(out, at + Wire.ATTR_NLINK, a.links());
        Wire.u32(out, at + Wire.ATTR_UID, owner.uid() != null ? owner.uid() : a.uid());
        Wire.u32(out, at + Wire.ATTR_GID, owner.gid() != null ? owner.gid() : a.gid());
        Wire.u32(out, at + Wire.ATTR_RDEV, 0);
        Wire.u32(out, at + Wire.ATTR_BLKSIZE, BLOCK_BYTES);
        Wire.u32(out, at + Wire.ATTR_FLAGS, 0);
    }

    private int mode(Attributes a) {
        int type =
                switch (a.type()) {
                    case REGULAR -> S_IFREG;
                    case DIRECTORY -> S_IFDIR;
                    case SYMLINK -> S_IFLNK;
                    // Device, pipe or socket, we are not told which. As a socket it can be seen and
                    // removed, and the kernel refuses to open it without asking us.
                    case OTHER -> S_IFSOCK;
                };
        return owner.umask() != null ? type | (ALL_PERMISSIONS & ~owner.umask()) : type | a.mode();
    }
}
