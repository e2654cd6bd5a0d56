// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Names;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.server.Server.XattrMode;
import io.netfs4j.server.ServerFileSystemStatistics;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Instant;

/** Requests about what a file has besides its bytes, and about the file system as a whole. */
final class AttributeRequests {
    private static final int FATTR_MODE = 1;
    private static final int FATTR_UID = 1 << 1;
    private static final int FATTR_GID = 1 << 2;
    private static final int FATTR_SIZE = 1 << 3;
    private static final int FATTR_ATIME = 1 << 4;
    private static final int FATTR_MTIME = 1 << 5;
    private static final int FATTR_FH = 1 << 6;
    private static final int FATTR_ATIME_NOW = 1 << 7;
    private static final int FATTR_MTIME_NOW = 1 << 8;
    private static final int FATTR_KILL_SUIDGID = 1 << 11;

    private static final int PERMISSIONS = 07777;
    private static final int XATTR_CREATE = 1;
    private static final int XATTR_REPLACE = 2;

    /** The one namespace that servers keep; the others are this machine's own affair. */
    private static final String USER_NAMESPACE = "user.";

    /**
     * What is said of a server that does not tell its size: 1 PiB, all free, because programs
     * refuse to write where they are told that nothing is free.
     */
    private static final ServerFileSystemStatistics UNKNOWN_SIZE =
            new ServerFileSystemStatistics(
                    4096, 1L << 38, 1L << 38, 1L << 38, 1L << 30, 1L << 30, Names.NAME_BYTES_MAX);

    private final Vfs vfs;
    private final AttributeEncoder encoder;
    private final Notifier notifier;
    private final FileRequests files;

    AttributeRequests(Vfs vfs, AttributeEncoder encoder, Notifier notifier, FileRequests files) {
        this.vfs = vfs;
        this.encoder = encoder;
        this.notifier = notifier;
        this.files = files;
    }

    boolean tryGet(FuseRequest request) throws FsException {
        Attributes attributes = vfs.tryGetAttributes(request.nodeId());
        if (attributes == null || !notifier.isSettled(request.nodeId())) {
            return false;
        }
        reply(request, attributes);
        return true;
    }

    void get(FuseRequest request) throws FsException {
        Attributes attributes = vfs.getAttributes(request.nodeId());
        notifier.settle(request.nodeId());
        reply(request, attributes);
    }

    void set(FuseRequest request) throws FsException {
        int valid = request.u32(Wire.SETATTR_IN_VALID);
        OpenFile file =
                (valid & FATTR_FH) != 0 ? files.file(request.u64(Wire.SETATTR_IN_FH)) : null;
        AttributeChange change = change(request, valid);
        Attributes now =
                change.isEmpty()
                        ? vfs.getAttributes(request.nodeId())
                        : vfs.setAttributes(request.nodeId(), change, file);
        reply(request, now);
    }

    private AttributeChange change(FuseRequest request, int valid) throws FsException {
        Integer mode =
                (valid & FATTR_MODE) != 0
                        ? Integer.valueOf(request.u32(Wire.SETATTR_IN_MODE) & PERMISSIONS)
                        : null;
        boolean owner = (valid & (FATTR_UID | FATTR_GID)) != 0;
        if (mode == null && (owner || (valid & FATTR_KILL_SUIDGID) != 0)) {
            mode = modeWithoutPrivileges(vfs, request.nodeId());
        }
        return new AttributeChange(
                mode,
                (valid & FATTR_UID) != 0 ? Integer.valueOf(request.u32(Wire.SETATTR_IN_UID)) : null,
                (valid & FATTR_GID) != 0 ? Integer.valueOf(request.u32(Wire.SETATTR_IN_GID)) : null,
                (valid & FATTR_SIZE) != 0 ? Long.valueOf(request.u64(Wire.SETATTR_IN_SIZE)) : null,
                time(request, valid, FATTR_ATIME, FATTR_ATIME_NOW, Wire.SETATTR_IN_ATIME),
                time(request, valid, FATTR_MTIME, FATTR_MTIME_NOW, Wire.SETATTR_IN_MTIME));
    }

    private static @Nullable Instant time(
            FuseRequest request, int valid, int given, int now, int secondsAt) {
        if ((valid & now) != 0) {
            return Instant.now();
        }
        if ((valid & given) == 0) {
            return null;
        }
        int nanosAt =
                secondsAt == Wire.SETATTR_IN_ATIME
                        ? Wire.SETATTR_IN_ATIMENSEC
                        : Wire.SETATTR_IN_MTIMENSEC;
        return Instant.ofEpochSecond(request.u64(secondsAt), request.u32(nanosAt));
    }

    /**
     * The mode that is left of a regular file when someone without the right to keep them changes
     * it: no set-user-id, and no set-group-id where the group may execute (chmod(2), write(2)).
     *
     * @return null when it stays as it is
     */
    static @Nullable Integer modeWithoutPrivileges(Vfs vfs, long ino) throws FsException {
        Attributes now = vfs.tryGetAttributes(ino);
        return modeWithoutPrivileges(now != null ? now : vfs.getAttributes(ino));
    }

    static @Nullable Integer modeWithoutPrivileges(Attributes now) {
        int setUserId = 04000;
        int setGroupId = 02000;
        int groupExecutes = 00010;
        int lost = setUserId | ((now.mode() & groupExecutes) != 0 ? setGroupId : 0);
        boolean loses = now.type() == FileType.REGULAR && (now.mode() & lost) != 0;
        return loses ? Integer.valueOf(now.mode() & ~lost) : null;
    }

    void statfs(FuseRequest request) throws FsException {
        ServerFileSystemStatistics s;
        try {
            s = vfs.statistics();
        } catch (FsException e) {
            if (e.error() != FsError.ENOSYS && e.error() != FsError.ENOTSUP) {
                throw e;
            }
            s = UNKNOWN_SIZE;
        }
        MemorySegment out = request.body().asSlice(0, Wire.STATFS_OUT_BYTES).fill((byte) 0);
        Wire.u64(out, Wire.STATFS_OUT_BLOCKS, s.blocks());
        Wire.u64(out, Wire.STATFS_OUT_BFREE, s.blocksFree());
        Wire.u64(out, Wire.STATFS_OUT_BAVAIL, s.blocksAvailable());
        Wire.u64(out, Wire.STATFS_OUT_FILES, s.files());
        Wire.u64(out, Wire.STATFS_OUT_FFREE, s.filesFree());
        Wire.u32(out, Wire.STATFS_OUT_BSIZE, (int) s.blockBytes());
        Wire.u32(out, Wire.STATFS_OUT_NAMELEN, s.nameBytesMax());
        Wire.u32(out, Wire.STATFS_OUT_FRSIZE, (int) s.blockBytes());
        request.reply(Wire.STATFS_OUT_BYTES);
    }

    /**
     * Refuses names outside user.* at once: the kernel asks for security.capability around writes,
     * and no server is to be troubled with that.
     *
     * @return false when the request is about a name that a server may have
     */
    boolean refuseForeignXattr(FuseRequest request) throws FsException {
        String name = request.name(nameAt(request));
        if (name.startsWith(USER_NAMESPACE)) {
            return false;
        }
        request.replyError(FsError.ENOTSUP);
        return true;
    }

    private static int nameAt(FuseRequest request) {
        return switch (request.opcode()) {
            case Opcode.SETXATTR -> Wire.SETXATTR_IN_BYTES;
            case Opcode.GETXATTR -> Wire.GETXATTR_IN_BYTES;
            default -> 0;
        };
    }

    void getXattr(FuseRequest request) throws FsException {
        byte[] value = vfs.getXattr(request.nodeId(), request.name(nameAt(request)));
        replyValue(request, value);
    }

    void listXattrs(FuseRequest request) throws FsException {
        ByteArrayOutputStream names = new ByteArrayOutputStream();
        for (String name : vfs.listXattrs(request.nodeId())) {
            names.writeBytes(Names.encode(name));
            names.write(0);
        }
        replyValue(request, names.toByteArray());
    }

    void setXattr(FuseRequest request) throws FsException {
        int nameAt = nameAt(request);
        int size = request.u32(Wire.SETXATTR_IN_SIZE);
        int valueAt = request.after(nameAt);
        if (size < 0 || size > request.argumentBytes() - valueAt) {
            throw new FsException(FsError.EINVAL, "an attribute of " + size + " bytes");
        }
        XattrMode mode =
                switch (request.u32(Wire.SETXATTR_IN_FLAGS)) {
                    case XATTR_CREATE -> XattrMode.CREATE;
                    case XATTR_REPLACE -> XattrMode.REPLACE;
                    default -> XattrMode.ANY;
                };
        vfs.setXattr(request.nodeId(), request.name(nameAt), request.bytes(valueAt, size), mode);
        request.replyEmpty();
    }

    void removeXattr(FuseRequest request) throws FsException {
        vfs.removeXattr(request.nodeId(), request.name(nameAt(request)));
        request.replyEmpty();
    }

    /** A value, or only its size when the caller gave no room. */
    private static void replyValue(FuseRequest request, byte[] value) throws FsException {
        int room = request.u32(Wire.GETXATTR_IN_SIZE);
        if (room == 0) {
            Wire.u64(request.body(), Wire.GETXATTR_OUT_SIZE, value.length);
            request.reply(Wire.GETXATTR_OUT_BYTES);
            return;
        }
        if (value.length > room) {
            throw new FsException(FsError.ERANGE, value.length + " bytes into " + room);
        }
        if (value.length > ReplyBuffer.LARGE_BODY_BYTES) {
            throw new FsException(FsError.E2BIG, "an attribute of " + value.length + " bytes");
        }
        ByteBuffer body = request.bodyBytes();
        body.put(value);
        request.reply(value.length);
    }

    private void reply(FuseRequest request, Attributes attributes) {
        notifier.reads().attributes(attributes.ino());
        encoder.attrOut(request.body(), attributes, vfs.attributesValidNanos(attributes.ino()));
        request.reply(Wire.ATTR_OUT_BYTES);
    }
}
