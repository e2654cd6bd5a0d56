// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.engine.PendingAttributes;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What the journal is told of a file besides its bytes and its length: enough to save it to the
 * server after the mount has died.
 *
 * @param type what it is
 * @param target where a symbolic link leads; null for others
 * @param state what the server has of it
 * @param path where it is; null where nobody knows
 * @param movingTo where it is when a rename that was under way came through; null without one
 * @param removing whether a removal of its last name was under way
 * @param replacedBy what was being renamed over it; null without that
 * @param serverFileId the server's number of it, 0 for none
 * @param token the version that its bytes belong to; null where nobody knows
 * @param sending whether any part of what is here may have come to the server since
 * @param remoteBytes how long the server's file is
 * @param truncatingTo the size that the server was about to set; -1 without that
 * @param owner whose it is, and its permission bits
 * @param modified when it was modified last, as shown
 * @param accessed likewise
 * @param pending times that are to be set on the server
 * @param uploadLock the lock on the server under which something was sent; null without one
 * @param growingTo as {@code truncatingTo}, of a file that is only to grow: the least size
 * @param owedBytes the size that the server is to set before anything is sent; -1 without
 */
record FileFacts(
        FileType type,
        @Nullable String target,
        State state,
        @Nullable RemotePath path,
        @Nullable RemotePath movingTo,
        boolean removing,
        @Nullable RemotePath replacedBy,
        long serverFileId,
        @Nullable CoherencyToken token,
        boolean sending,
        long remoteBytes,
        long truncatingTo,
        Owner owner,
        Instant modified,
        Instant accessed,
        PendingAttributes pending,
        @Nullable String uploadLock,
        long growingTo,
        long owedBytes) {
    /** What the server has of a file. */
    enum State {
        /** It has it. */
        THERE,
        /** It is to make it. */
        NEW,
        /** It is to make it, or to empty one that another client made meanwhile. */
        NEW_OR_EMPTIED,
        /** Its last name was taken away: nobody wants it once it is closed. */
        GONE,
        /** It has it under a name of ours until the last close: nobody wants it. */
        REMOVED
    }

    record Owner(int mode, int uid, int gid) {}

    /** Of a name of ours that a removed file lives on under. */
    static FileFacts removed(RemotePath hidden) {
        return new FileFacts(
                FileType.REGULAR,
                null,
                State.REMOVED,
                hidden,
                null,
                false,
                null,
                0,
                null,
                false,
                0,
                -1,
                new Owner(0, 0, 0),
                Instant.EPOCH,
                Instant.EPOCH,
                PendingAttributes.NONE,
                null,
                -1,
                -1);
    }

    private static final int VERSION = 5;

    private static final int VERSION_WITHOUT_SIZES = 4;
    private static final int VERSION_WITHOUT_GROWTH = 3;
    private static final int VERSION_WITHOUT_OWNERS = 2;
    private static final int VERSION_WITHOUT_LOCKS = 1;

    /** So deep is no path that a door hands in. */
    private static final int NAMES_MAX = 4096;

    byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(VERSION);
            out.writeByte(type.ordinal());
            out.writeBoolean(target != null);
            if (target != null) {
                out.writeUTF(target);
            }
            out.writeByte(state.ordinal());
            write(out, path);
            write(out, movingTo);
            out.writeBoolean(removing);
            write(out, replacedBy);
            out.writeLong(serverFileId);
            out.writeBoolean(token != null);
            if (token != null) {
                out.writeUTF(token.text());
            }
            out.writeBoolean(sending);
            out.writeLong(remoteBytes);
            out.writeLong(truncatingTo);
            out.writeInt(owner.mode);
            out.writeInt(owner.uid);
            out.writeInt(owner.gid);
            write(out, modified);
            write(out, accessed);
            write(out, pending.accessed());
            write(out, pending.modified());
            out.writeBoolean(pending.modifiedWasSet());
            write(out, pending.mode());
            write(out, pending.uid());
            write(out, pending.gid());
            out.writeBoolean(uploadLock != null);
            if (uploadLock != null) {
                out.writeUTF(uploadLock);
            }
            out.writeLong(growingTo);
            out.writeLong(owedBytes);
        } catch (IOException e) {
            throw new IllegalStateException("facts of " + path, e);
        }
        return bytes.toByteArray();
    }

    /**
     * Understands what {@link #encode} made.
     *
     * @throws FsException EIO when it is not that, or of a later version
     */
    static FileFacts decode(byte[] bytes) throws FsException {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            int version = in.readByte();
            if (version < VERSION_WITHOUT_LOCKS || version > VERSION) {
                throw new FsException(FsError.EIO, "facts of version " + version);
            }
            int type = in.readByte();
            if (type < 0 || type >= FileType.values().length) {
                throw new FsException(FsError.EIO, "facts of a file of type " + type);
            }
            String target = in.readBoolean() ? in.readUTF() : null;
            int state = in.readByte();
            if (state < 0 || state >= State.values().length) {
                throw new FsException(FsError.EIO, "facts with state " + state);
            }
            return new FileFacts(
                    FileType.values()[type],
                    target,
                    State.values()[state],
                    readPath(in),
                    readPath(in),
                    in.readBoolean(),
                    readPath(in),
                    in.readLong(),
                    in.readBoolean() ? new CoherencyToken(in.readUTF()) : null,
                    in.readBoolean(),
                    in.readLong(),
                    in.readLong(),
                    new Owner(in.readInt(), in.readInt(), in.readInt()),
                    required(readTime(in)),
                    required(readTime(in)),
                    pending(in, version),
                    version > VERSION_WITHOUT_LOCKS && in.readBoolean() ? in.readUTF() : null,
                    version > VERSION_WITHOUT_GROWTH ? in.readLong() : -1,
                    version > VERSION_WITHOUT_SIZES ? in.readLong() : -1);
        } catch (FsException e) {
            throw e;
        } catch (IOException | DateTimeException e) {
            throw new FsException(FsError.EIO, "facts that cannot be read", e);
        }
    }

    private static PendingAttributes pending(DataInputStream in, int version) throws IOException {
        boolean owners = version > VERSION_WITHOUT_OWNERS;
        return new PendingAttributes(
                readTime(in),
                readTime(in),
                in.readBoolean(),
                readNumber(in),
                owners ? readNumber(in) : null,
                owners ? readNumber(in) : null);
    }

    /** Bits or an owner: -1 is neither. */
    private static void write(DataOutputStream out, @Nullable Integer number) throws IOException {
        out.writeInt(number == null ? -1 : number);
    }

    private static @Nullable Integer readNumber(DataInputStream in) throws IOException {
        int number = in.readInt();
        return number == -1 ? null : (Integer) number;
    }

    private static void write(DataOutputStream out, @Nullable RemotePath path) throws IOException {
        out.writeInt(path == null ? -1 : path.names().size());
        if (path != null) {
            for (String name : path.names()) {
                out.writeUTF(name);
            }
        }
    }

    private static @Nullable RemotePath readPath(DataInputStream in) throws IOException {
        int count = in.readInt();
        if (count < 0) {
            return null;
        }
        if (count > NAMES_MAX) {
            throw new IOException("a path of " + count + " names");
        }
        List<String> names = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            names.add(in.readUTF());
        }
        return new RemotePath(names);
    }

    private static void write(DataOutputStream out, @Nullable Instant time) throws IOException {
        out.writeBoolean(time != null);
        if (time != null) {
            out.writeLong(time.getEpochSecond());
            out.writeInt(time.getNano());
        }
    }

    private static @Nullable Instant readTime(DataInputStream in) throws IOException {
        return in.readBoolean() ? Instant.ofEpochSecond(in.readLong(), in.readInt()) : null;
    }

    private static Instant required(@Nullable Instant time) throws IOException {
        if (time == null) {
            throw new IOException("a time is missing");
        }
        return time;
    }
}
