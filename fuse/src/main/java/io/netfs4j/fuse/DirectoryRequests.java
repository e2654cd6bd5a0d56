// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsException;
import io.netfs4j.base.Names;
import io.netfs4j.server.FileType;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.DirectorySink;
import io.netfs4j.vfs.Entry;
import io.netfs4j.vfs.OpenDirectory;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.LongConsumer;

/** Requests about open directories. */
final class DirectoryRequests {
    /** What libfuse says, too, when a number is not known; 0 would hide the entry. */
    private static final long INO_UNKNOWN = 0xFFFF_FFFFL;

    private final Vfs vfs;
    private final AttributeEncoder encoder;
    private final Notifier notifier;
    private final OpenTable<OpenDirectory> open = new OpenTable<>();

    DirectoryRequests(Vfs vfs, AttributeEncoder encoder, Notifier notifier) {
        this.vfs = vfs;
        this.encoder = encoder;
        this.notifier = notifier;
    }

    void open(FuseRequest request) throws FsException {
        OpenDirectory directory = vfs.openDirectory(request.nodeId());
        long handle;
        try {
            handle = open.put(directory);
        } catch (FsException e) {
            vfs.releaseDirectory(directory);
            throw e;
        }
        Wire.u64(request.body(), Wire.OPEN_OUT_FH, handle);
        Wire.u64(request.body(), Wire.OPEN_OUT_OPEN_FLAGS, 0);
        if (!request.reply(Wire.OPEN_OUT_BYTES)) {
            vfs.releaseDirectory(open.remove(handle));
        }
    }

    void read(FuseRequest request, boolean plus) throws FsException {
        OpenDirectory directory = open.get(request.u64(Wire.READ_IN_FH));
        int size = Math.min(request.u32(Wire.READ_IN_SIZE), ReplyBuffer.LARGE_BODY_BYTES);
        Page page = new Page(request.body(), size, plus);
        try {
            vfs.readDirectory(directory, request.u64(Wire.READ_IN_OFFSET), plus, page);
        } catch (FsException e) {
            if (page.length == 0) {
                throw e;
            }
            // What was given counts as looked up, so it must be delivered; the next call meets the
            // error again.
        }
        if (plus) {
            page.forEachInode(notifier::settle);
            page.forEachInode(notifier.reads()::attributes);
        }
        if (!request.reply(page.length) && plus) {
            // The kernel did not learn of these look-ups.
            page.forEachInode(ino -> vfs.forget(ino, 1));
        }
    }

    void release(FuseRequest request) throws FsException {
        vfs.releaseDirectory(open.remove(request.u64(Wire.RELEASE_IN_FH)));
        request.replyEmpty();
    }

    void fsync(FuseRequest request) throws FsException {
        vfs.fsyncDirectory(request.nodeId());
        request.replyEmpty();
    }

    void releaseAll() {
        open.removeAll().forEach(vfs::releaseDirectory);
    }

    /** The records of one reply: struct fuse_dirent, or fuse_direntplus with an entry in front. */
    private final class Page implements DirectorySink {
        private static final int ALIGNMENT = 8;

        private final MemorySegment out;
        private final int size;
        private final int entryBytes;
        private int length;

        Page(MemorySegment out, int size, boolean plus) {
            this.out = out;
            this.size = size;
            this.entryBytes = plus ? Wire.ENTRY_OUT_BYTES : 0;
        }

        @Override
        public boolean entry(
                String name, long ino, FileType type, long nextCookie, @Nullable Entry entry) {
            byte[] bytes = Names.encode(name);
            int record = entryBytes + Wire.DIRENT_NAME + bytes.length;
            int padded = (record + ALIGNMENT - 1) & -ALIGNMENT;
            if (length + padded > size) {
                return false;
            }
            if (entryBytes > 0) {
                putEntry(name, entry);
            }
            int at = length + entryBytes;
            Wire.u64(out, at + Wire.DIRENT_INO, ino != 0 ? ino : INO_UNKNOWN);
            Wire.u64(out, at + Wire.DIRENT_OFF, nextCookie);
            Wire.u32(out, at + Wire.DIRENT_NAMELEN, bytes.length);
            Wire.u32(out, at + Wire.DIRENT_TYPE, AttributeEncoder.direntType(type));
            MemorySegment.copy(
                    bytes, 0, out, ValueLayout.JAVA_BYTE, at + Wire.DIRENT_NAME, bytes.length);
            out.asSlice(length + record, padded - record).fill((byte) 0);
            length += padded;
            return true;
        }

        private void putEntry(String name, @Nullable Entry entry) {
            Attributes attributes = entry == null ? null : entry.attributes();
            boolean itself = name.equals(".") || name.equals("..");
            if (entry != null && attributes != null && !itself) {
                encoder.entry(out, length, entry);
                return;
            }
            // Node number 0: the kernel takes the name alone, and counts no look-up.
            out.asSlice(length, Wire.ENTRY_OUT_BYTES).fill((byte) 0);
            if (attributes != null) {
                vfs.forget(attributes.ino(), 1);
            }
        }

        /** Every inode that an entry was given with. */
        void forEachInode(LongConsumer action) {
            for (int at = 0; at < length; ) {
                long nodeId = Wire.u64(out, at + Wire.ENTRY_OUT_NODEID);
                if (nodeId != 0) {
                    action.accept(nodeId);
                }
                int nameBytes = Wire.u32(out, at + entryBytes + Wire.DIRENT_NAMELEN);
                int record = entryBytes + Wire.DIRENT_NAME + nameBytes;
                at += (record + ALIGNMENT - 1) & -ALIGNMENT;
            }
        }
    }
}
