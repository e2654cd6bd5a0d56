// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Names;
import io.netfs4j.server.Access;
import io.netfs4j.server.RenameMode;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.CreatedFile;
import io.netfs4j.vfs.Entry;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

/** Requests about names: what they stand for, making, moving and removing them. */
final class NameRequests {
    private static final int PERMISSIONS = 07777;
    private static final int RENAME_NOREPLACE = 1;
    private static final int RENAME_EXCHANGE = 2;

    private static final OpenFlags NEW_FILE =
            new OpenFlags(Access.READ_WRITE, false, false, true, false, false, false);

    private final Vfs vfs;
    private final AttributeEncoder encoder;
    private final Notifier notifier;

    NameRequests(Vfs vfs, AttributeEncoder encoder, Notifier notifier) {
        this.vfs = vfs;
        this.encoder = encoder;
        this.notifier = notifier;
    }

    boolean tryLookup(FuseRequest request) throws FsException {
        Entry entry = vfs.tryLookup(request.nodeId(), request.name(0));
        if (entry == null) {
            return false;
        }
        Attributes attributes = entry.attributes();
        if (attributes != null && !notifier.isSettled(attributes.ino())) {
            vfs.forget(attributes.ino(), 1);
            return false;
        }
        replyEntry(request, entry);
        return true;
    }

    void lookup(FuseRequest request) throws FsException {
        Entry entry = vfs.lookup(request.nodeId(), request.name(0));
        Attributes attributes = entry.attributes();
        if (attributes != null) {
            notifier.settle(attributes.ino());
        }
        replyEntry(request, entry);
    }

    void forget(FuseRequest request) {
        vfs.forget(request.nodeId(), request.u64(Wire.FORGET_IN_NLOOKUP));
    }

    void forgetBatch(FuseRequest request) {
        int count = request.u32(Wire.BATCH_FORGET_IN_COUNT);
        for (int i = 0; i < count; i++) {
            int at = Wire.BATCH_FORGET_IN_BYTES + i * Wire.FORGET_ONE_BYTES;
            vfs.forget(
                    request.u64(at + Wire.FORGET_ONE_NODEID),
                    request.u64(at + Wire.FORGET_ONE_NLOOKUP));
        }
    }

    void mkdir(FuseRequest request) throws FsException {
        int mode = request.u32(Wire.MKDIR_IN_MODE) & PERMISSIONS;
        String name = request.name(Wire.MKDIR_IN_BYTES);
        replyEntry(request, vfs.makeDirectory(request.nodeId(), name, mode));
    }

    void symlink(FuseRequest request) throws FsException {
        String target = request.text(request.after(0));
        replyEntry(request, vfs.makeSymlink(request.nodeId(), request.name(0), target));
    }

    void readlink(FuseRequest request) throws FsException {
        byte[] target = Names.encode(vfs.readSymlink(request.nodeId()));
        if (target.length > ReplyBuffer.SMALL_BODY_BYTES) {
            throw new FsException(FsError.ENAMETOOLONG, "a link of " + target.length + " bytes");
        }
        request.bodyBytes().put(target);
        request.reply(target.length);
    }

    /** mknod(2) of a regular file: created, not opened. */
    void makeFile(FuseRequest request) throws FsException {
        int mode = request.u32(Wire.MKNOD_IN_MODE) & PERMISSIONS;
        String name = request.name(Wire.MKNOD_IN_BYTES);
        CreatedFile created = vfs.create(request.nodeId(), name, mode, NEW_FILE);
        vfs.release(created.file());
        replyEntry(request, created.entry());
    }

    void link(FuseRequest request) throws FsException {
        long ino = request.u64(Wire.LINK_IN_OLDNODEID);
        replyEntry(request, vfs.link(ino, request.nodeId(), request.name(Wire.LINK_IN_BYTES)));
    }

    void unlink(FuseRequest request) throws FsException {
        vfs.unlink(request.nodeId(), request.name(0));
        request.replyEmpty();
    }

    void rmdir(FuseRequest request) throws FsException {
        vfs.removeDirectory(request.nodeId(), request.name(0));
        request.replyEmpty();
    }

    void rename(FuseRequest request) throws FsException {
        rename(request, Wire.RENAME_IN_BYTES, RenameMode.REPLACE);
    }

    void rename2(FuseRequest request) throws FsException {
        int flags = request.u32(Wire.RENAME2_IN_FLAGS);
        RenameMode mode =
                switch (flags) {
                    case 0 -> RenameMode.REPLACE;
                    case RENAME_NOREPLACE -> RenameMode.NOREPLACE;
                    case RENAME_EXCHANGE -> RenameMode.EXCHANGE;
                    default -> throw new FsException(FsError.EINVAL, "rename with flags " + flags);
                };
        rename(request, Wire.RENAME2_IN_BYTES, mode);
    }

    private void rename(FuseRequest request, int namesAt, RenameMode mode) throws FsException {
        String from = request.name(namesAt);
        String to = request.name(request.after(namesAt));
        vfs.rename(request.nodeId(), from, request.u64(Wire.RENAME_IN_NEWDIR), to, mode);
        request.replyEmpty();
    }

    private void replyEntry(FuseRequest request, Entry entry) {
        encoder.entry(request.body(), 0, entry);
        Attributes attributes = entry.attributes();
        if (attributes != null) {
            notifier.reads().attributes(attributes.ino());
        }
        boolean delivered = request.reply(Wire.ENTRY_OUT_BYTES);
        if (!delivered && attributes != null) {
            // The caller was interrupted: the kernel does not know that it looked this up.
            vfs.forget(attributes.ino(), 1);
        }
    }
}
