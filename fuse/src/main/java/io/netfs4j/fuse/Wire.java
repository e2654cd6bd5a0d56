// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/**
 * Where the fields of the protocol's structures are: byte offsets and sizes, named STRUCT_FIELD
 * after linux/fuse.h, protocol 7.45. The layout is the same on every 64-bit Linux; numbers are in
 * the machine's byte order. {@code WireTest} compares them with the C header.
 */
final class Wire {
    static final int MAJOR = 7;
    static final int MINOR = 45;

    /** struct fuse_in_header, in front of every request. */
    static final int IN_HEADER_BYTES = 40;

    static final int IN_HEADER_LEN = 0;
    static final int IN_HEADER_OPCODE = 4;
    static final int IN_HEADER_UNIQUE = 8;
    static final int IN_HEADER_NODEID = 16;
    static final int IN_HEADER_UID = 24;
    static final int IN_HEADER_GID = 28;
    static final int IN_HEADER_PID = 32;

    /** struct fuse_out_header, in front of every reply and notification. */
    static final int OUT_HEADER_BYTES = 16;

    static final int OUT_HEADER_LEN = 0;
    static final int OUT_HEADER_ERROR = 4;
    static final int OUT_HEADER_UNIQUE = 8;

    static final int ATTR_BYTES = 88;
    static final int ATTR_INO = 0;
    static final int ATTR_SIZE = 8;
    static final int ATTR_BLOCKS = 16;
    static final int ATTR_ATIME = 24;
    static final int ATTR_MTIME = 32;
    static final int ATTR_CTIME = 40;
    static final int ATTR_ATIMENSEC = 48;
    static final int ATTR_MTIMENSEC = 52;
    static final int ATTR_CTIMENSEC = 56;
    static final int ATTR_MODE = 60;
    static final int ATTR_NLINK = 64;
    static final int ATTR_UID = 68;
    static final int ATTR_GID = 72;
    static final int ATTR_RDEV = 76;
    static final int ATTR_BLKSIZE = 80;
    static final int ATTR_FLAGS = 84;

    static final int ENTRY_OUT_BYTES = 128;
    static final int ENTRY_OUT_NODEID = 0;
    static final int ENTRY_OUT_GENERATION = 8;
    static final int ENTRY_OUT_ENTRY_VALID = 16;
    static final int ENTRY_OUT_ATTR_VALID = 24;
    static final int ENTRY_OUT_ENTRY_VALID_NSEC = 32;
    static final int ENTRY_OUT_ATTR_VALID_NSEC = 36;
    static final int ENTRY_OUT_ATTR = 40;

    static final int ATTR_OUT_BYTES = 104;
    static final int ATTR_OUT_VALID = 0;
    static final int ATTR_OUT_VALID_NSEC = 8;
    static final int ATTR_OUT_ATTR = 16;

    static final int INIT_IN_BYTES = 64;
    static final int INIT_IN_MAJOR = 0;
    static final int INIT_IN_MINOR = 4;
    static final int INIT_IN_MAX_READAHEAD = 8;
    static final int INIT_IN_FLAGS = 12;
    static final int INIT_IN_FLAGS2 = 16;
    static final int INIT_OUT_BYTES = 64;
    static final int INIT_OUT_MAJOR = 0;
    static final int INIT_OUT_MINOR = 4;
    static final int INIT_OUT_MAX_READAHEAD = 8;
    static final int INIT_OUT_FLAGS = 12;
    static final int INIT_OUT_MAX_BACKGROUND = 16;
    static final int INIT_OUT_CONGESTION_THRESHOLD = 18;
    static final int INIT_OUT_MAX_WRITE = 20;
    static final int INIT_OUT_TIME_GRAN = 24;
    static final int INIT_OUT_MAX_PAGES = 28;
    static final int INIT_OUT_FLAGS2 = 32;

    static final int FORGET_IN_NLOOKUP = 0;
    static final int BATCH_FORGET_IN_BYTES = 8;
    static final int BATCH_FORGET_IN_COUNT = 0;
    static final int FORGET_ONE_BYTES = 16;
    static final int FORGET_ONE_NODEID = 0;
    static final int FORGET_ONE_NLOOKUP = 8;

    static final int GETATTR_IN_FLAGS = 0;
    static final int GETATTR_IN_FH = 8;

    static final int SETATTR_IN_BYTES = 88;
    static final int SETATTR_IN_VALID = 0;
    static final int SETATTR_IN_FH = 8;
    static final int SETATTR_IN_SIZE = 16;
    static final int SETATTR_IN_ATIME = 32;
    static final int SETATTR_IN_MTIME = 40;
    static final int SETATTR_IN_ATIMENSEC = 56;
    static final int SETATTR_IN_MTIMENSEC = 60;
    static final int SETATTR_IN_MODE = 68;
    static final int SETATTR_IN_UID = 76;
    static final int SETATTR_IN_GID = 80;

    static final int MKNOD_IN_BYTES = 16;
    static final int MKNOD_IN_MODE = 0;
    static final int MKDIR_IN_BYTES = 8;
    static final int MKDIR_IN_MODE = 0;
    static final int RENAME_IN_BYTES = 8;
    static final int RENAME_IN_NEWDIR = 0;
    static final int RENAME2_IN_BYTES = 16;
    static final int RENAME2_IN_FLAGS = 8;
    static final int LINK_IN_BYTES = 8;
    static final int LINK_IN_OLDNODEID = 0;

    static final int OPEN_IN_FLAGS = 0;
    static final int OPEN_IN_OPEN_FLAGS = 4;
    static final int CREATE_IN_BYTES = 16;
    static final int CREATE_IN_FLAGS = 0;
    static final int CREATE_IN_MODE = 4;
    static final int CREATE_IN_OPEN_FLAGS = 12;
    static final int OPEN_OUT_BYTES = 16;
    static final int OPEN_OUT_FH = 0;
    static final int OPEN_OUT_OPEN_FLAGS = 8;

    static final int RELEASE_IN_FH = 0;
    static final int FLUSH_IN_FH = 0;
    static final int FSYNC_IN_FH = 0;
    static final int FSYNC_IN_FLAGS = 8;

    static final int READ_IN_BYTES = 40;
    static final int READ_IN_FH = 0;
    static final int READ_IN_OFFSET = 8;
    static final int READ_IN_SIZE = 16;
    static final int READ_IN_FLAGS = 32;

    static final int WRITE_IN_BYTES = 40;
    static final int WRITE_IN_FH = 0;
    static final int WRITE_IN_OFFSET = 8;
    static final int WRITE_IN_SIZE = 16;
    static final int WRITE_IN_WRITE_FLAGS = 20;
    static final int WRITE_IN_FLAGS = 32;
    static final int WRITE_OUT_BYTES = 8;
    static final int WRITE_OUT_SIZE = 0;

    static final int STATFS_OUT_BYTES = 80;
    static final int STATFS_OUT_BLOCKS = 0;
    static final int STATFS_OUT_BFREE = 8;
    static final int STATFS_OUT_BAVAIL = 16;
    static final int STATFS_OUT_FILES = 24;
    static final int STATFS_OUT_FFREE = 32;
    static final int STATFS_OUT_BSIZE = 40;
    static final int STATFS_OUT_NAMELEN = 44;
    static final int STATFS_OUT_FRSIZE = 48;

    /** The short form, used unless FUSE_SETXATTR_EXT is agreed. */
    static final int SETXATTR_IN_BYTES = 8;

    static final int SETXATTR_IN_SIZE = 0;
    static final int SETXATTR_IN_FLAGS = 4;
    static final int GETXATTR_IN_BYTES = 8;
    static final int GETXATTR_IN_SIZE = 0;
    static final int GETXATTR_OUT_BYTES = 8;
    static final int GETXATTR_OUT_SIZE = 0;

    static final int INTERRUPT_IN_UNIQUE = 0;

    static final int FALLOCATE_IN_FH = 0;
    static final int FALLOCATE_IN_OFFSET = 8;
    static final int FALLOCATE_IN_LENGTH = 16;
    static final int FALLOCATE_IN_MODE = 24;

    static final int LSEEK_IN_FH = 0;
    static final int LSEEK_IN_OFFSET = 8;
    static final int LSEEK_IN_WHENCE = 16;
    static final int LSEEK_OUT_BYTES = 8;

    static final int COPY_IN_FH_IN = 0;
    static final int COPY_IN_OFF_IN = 8;
    static final int COPY_IN_NODEID_OUT = 16;
    static final int COPY_IN_FH_OUT = 24;
    static final int COPY_IN_OFF_OUT = 32;
    static final int COPY_IN_LEN = 40;
    static final int COPY_OUT_BYTES = 8;

    /** struct fuse_dirent up to its name; records are padded to eight bytes. */
    static final int DIRENT_NAME = 24;

    static final int DIRENT_INO = 0;
    static final int DIRENT_OFF = 8;
    static final int DIRENT_NAMELEN = 16;
    static final int DIRENT_TYPE = 20;

    static final int INVAL_INODE_BYTES = 24;
    static final int INVAL_INODE_INO = 0;
    static final int INVAL_INODE_OFF = 8;
    static final int INVAL_INODE_LEN = 16;
    static final int INVAL_ENTRY_BYTES = 16;
    static final int INVAL_ENTRY_PARENT = 0;
    static final int INVAL_ENTRY_NAMELEN = 8;
    static final int INVAL_ENTRY_FLAGS = 12;
    static final int NOTIFY_DELETE_BYTES = 24;
    static final int NOTIFY_DELETE_PARENT = 0;
    static final int NOTIFY_DELETE_CHILD = 8;
    static final int NOTIFY_DELETE_NAMELEN = 16;

    private Wire() {}

    static {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new UnsupportedOperationException("the FUSE door needs a little-endian machine");
        }
    }

    /* Unaligned access, because a request that waits is copied into a byte array. */

    static int u16(MemorySegment s, long offset) {
        return Short.toUnsignedInt(s.get(JAVA_SHORT_UNALIGNED, offset));
    }

    static int u32(MemorySegment s, long offset) {
        return s.get(JAVA_INT_UNALIGNED, offset);
    }

    static long u64(MemorySegment s, long offset) {
        return s.get(JAVA_LONG_UNALIGNED, offset);
    }

    static void u16(MemorySegment s, long offset, int value) {
        s.set(JAVA_SHORT_UNALIGNED, offset, (short) value);
    }

    static void u32(MemorySegment s, long offset, int value) {
        s.set(JAVA_INT_UNALIGNED, offset, value);
    }

    static void u64(MemorySegment s, long offset, long value) {
        s.set(JAVA_LONG_UNALIGNED, offset, value);
    }
}
