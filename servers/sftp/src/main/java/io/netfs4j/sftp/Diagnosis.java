// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

/**
 * Finds out what a FAILURE meant, by looking at what is there after it: the names and the free
 * space. It is asked only when something failed. What it sees may have changed since, so an error
 * can be named wrongly in a race with others; that something failed is never doubtful.
 *
 * <p><b>Threads</b>: waits on the calling thread.
 */
final class Diagnosis {
    private static final long FLAG_READ_ONLY = 1;

    private final Exchange exchange;
    private final ServerPaths paths;

    Diagnosis(Exchange exchange, ServerPaths paths) {
        this.exchange = exchange;
        this.paths = paths;
    }

    /** Something that was to be made at a path was not. */
    FsException notMade(SftpConnection c, Reply reply, RemotePath path)
            throws FsException, Exchange.Lost, ProtocolViolation {
        FsError error = StatusErrors.of(reply.status());
        if (error == FsError.EIO || error == FsError.EINVAL || error == FsError.EACCES) {
            if (look(c, path) != null) {
                error = FsError.EEXIST;
            } else if (error == FsError.EIO) {
                error = space(c, path.parent(), 1);
            }
        } else if (error == FsError.ENOENT && isFile(look(c, path.parent()))) {
            error = FsError.ENOTDIR;
        }
        return StatusErrors.exception(error, reply, path.toString());
    }

    /** A directory was not opened. */
    FsException notListed(SftpConnection c, Reply reply, RemotePath path)
            throws FsException, Exchange.Lost, ProtocolViolation {
        FsError error = StatusErrors.of(reply.status());
        if (error == FsError.ENOENT || error == FsError.EIO) {
            ServerAttributes there = look(c, path);
            if (there != null && there.type() != FileType.DIRECTORY) {
                error = FsError.ENOTDIR;
            }
        }
        return StatusErrors.exception(error, reply, path.toString());
    }

    /** A file was not removed. */
    FsException notRemoved(SftpConnection c, Reply reply, RemotePath path)
            throws FsException, Exchange.Lost, ProtocolViolation {
        FsError error = StatusErrors.of(reply.status());
        ServerAttributes there = error == FsError.ENOENT ? null : look(c, path);
        if (there != null && there.type() == FileType.DIRECTORY) {
            error = FsError.EISDIR;
        } else if (error == FsError.EIO) {
            error = readOnly(c, path.parent());
        }
        return StatusErrors.exception(error, reply, path.toString());
    }

    /**
     * A directory was not removed.
     *
     * @param empty asks whether it is
     */
    FsException directoryNotRemoved(SftpConnection c, Reply reply, RemotePath path, Emptiness empty)
            throws FsException, Exchange.Lost, ProtocolViolation {
        FsError error = StatusErrors.of(reply.status());
        if (error == FsError.EIO || error == FsError.ENOENT) {
            ServerAttributes there = look(c, path);
            if (there != null && there.type() != FileType.DIRECTORY) {
                error = FsError.ENOTDIR;
            } else if (there != null && error == FsError.EIO) {
                error = empty.isEmpty(c, path) ? readOnly(c, path.parent()) : FsError.ENOTEMPTY;
            }
        }
        return StatusErrors.exception(error, reply, path.toString());
    }

    /** Tells whether a directory has entries. */
    interface Emptiness {
        boolean isEmpty(SftpConnection c, RemotePath directory)
                throws FsException, Exchange.Lost, ProtocolViolation;
    }

    /** A name was not changed. */
    FsException notRenamed(
            SftpConnection c, Reply reply, RemotePath from, RemotePath to, boolean replaces)
            throws FsException, Exchange.Lost, ProtocolViolation {
        FsError error = StatusErrors.of(reply.status());
        if (error == FsError.EIO || error == FsError.ENOENT) {
            ServerAttributes source = look(c, from);
            ServerAttributes target = look(c, to);
            if (source == null) {
                error = FsError.ENOENT;
            } else if (target != null && !replaces) {
                error = FsError.EEXIST;
            } else if (target != null) {
                error = overTarget(source.type(), target.type());
            } else if (target == null && error == FsError.EIO) {
                error = acrossOrSpace(c, from, to);
            } else if (error == FsError.ENOENT && isFile(look(c, to.parent()))) {
                error = FsError.ENOTDIR;
            }
        }
        return StatusErrors.exception(error, reply, from + " to " + to);
    }

    private static FsError overTarget(FileType source, FileType target) {
        if (source == FileType.DIRECTORY) {
            return target == FileType.DIRECTORY ? FsError.ENOTEMPTY : FsError.ENOTDIR;
        }
        return target == FileType.DIRECTORY ? FsError.EISDIR : FsError.EIO;
    }

    /** Another name was not given to a file. */
    FsException notLinked(SftpConnection c, Reply reply, RemotePath from, RemotePath to)
            throws FsException, Exchange.Lost, ProtocolViolation {
        FsError error = StatusErrors.of(reply.status());
        if (error == FsError.EIO || error == FsError.EACCES) {
            ServerAttributes source = look(c, from);
            if (source != null && source.type() == FileType.DIRECTORY) {
                error = FsError.EPERM;
            } else if (look(c, to) != null) {
                error = FsError.EEXIST;
            } else if (error == FsError.EIO) {
                error = acrossOrSpace(c, from, to);
            }
        }
        return StatusErrors.exception(error, reply, from + " to " + to);
    }

    /**
     * Data were not written, or a size not set.
     *
     * @param bytes how many more the file would have had at most
     */
    FsException notWritten(SftpConnection c, Reply reply, byte[] handle, long bytes, String what)
            throws FsException, Exchange.Lost, ProtocolViolation {
        FsError error = StatusErrors.of(reply.status());
        if (error == FsError.EIO && c.greeting().offers(Protocol.FSTATVFS)) {
            error =
                    space(
                            exchange.call(
                                    c,
                                    new Exchange.Ask(
                                            PacketWriter.extended(Protocol.FSTATVFS).string(handle),
                                            Protocol.EXTENDED_REPLY)),
                            bytes);
        }
        return StatusErrors.exception(error, reply, what);
    }

    /** What is at a path: null when the server says that nothing is. */
    @Nullable ServerAttributes look(SftpConnection c, RemotePath path)
            throws FsException, Exchange.Lost, ProtocolViolation {
        Reply reply =
                exchange.call(
                        c,
                        Exchange.Ask.attributes(
                                new PacketWriter(Protocol.LSTAT).string(paths.of(path))));
        if (reply.type() == Protocol.ATTRS) {
            return WireAttributes.read(reply.body()).toServer();
        }
        return null;
    }

    private static boolean isFile(@Nullable ServerAttributes there) {
        return there != null && there.type() == FileType.REGULAR;
    }

    private FsError acrossOrSpace(SftpConnection c, RemotePath from, RemotePath to)
            throws FsException, Exchange.Lost, ProtocolViolation {
        Statistics one = Statistics.read(statvfs(c, from.parent()));
        Statistics other = Statistics.read(statvfs(c, to.parent()));
        if (one != null && other != null && one.fileSystemId() != other.fileSystemId()) {
            return FsError.EXDEV;
        }
        return other == null ? FsError.EIO : other.error(1);
    }

    private FsError space(SftpConnection c, RemotePath directory, long bytes)
            throws FsException, Exchange.Lost, ProtocolViolation {
        return space(statvfs(c, directory), bytes);
    }

    private FsError readOnly(SftpConnection c, RemotePath directory)
            throws FsException, Exchange.Lost, ProtocolViolation {
        Statistics s = Statistics.read(statvfs(c, directory));
        return s != null && (s.flags() & FLAG_READ_ONLY) != 0 ? FsError.EROFS : FsError.EIO;
    }

    private Reply statvfs(SftpConnection c, RemotePath directory)
            throws FsException, Exchange.Lost {
        if (!c.greeting().offers(Protocol.STATVFS)) {
            return Reply.status(Protocol.OP_UNSUPPORTED, "");
        }
        return exchange.call(
                c,
                new Exchange.Ask(
                        PacketWriter.extended(Protocol.STATVFS).string(paths.of(directory)),
                        Protocol.EXTENDED_REPLY));
    }

    private static FsError space(Reply reply, long bytes) throws ProtocolViolation {
        Statistics s = Statistics.read(reply);
        return s == null ? FsError.EIO : s.error(bytes);
    }

    /** The answer to statvfs: PROTOCOL of OpenSSH, section 4.3. */
    record Statistics(
            long fragmentBytes,
            long blocks,
            long blocksFree,
            long blocksAvailable,
            long files,
            long filesFree,
            long fileSystemId,
            long flags,
            long nameBytesMax) {
        static @Nullable Statistics read(Reply reply) throws ProtocolViolation {
            if (reply.type() != Protocol.EXTENDED_REPLY) {
                return null;
            }
            PacketReader body = reply.body();
            body.u64();
            long fragment = body.size();
            long blocks = body.size();
            long free = body.size();
            long available = body.size();
            long files = body.size();
            long filesFree = body.size();
            body.u64();
            return new Statistics(
                    fragment,
                    blocks,
                    free,
                    available,
                    files,
                    filesFree,
                    body.u64(),
                    body.u64(),
                    body.size());
        }

        /** Why something could not be written. */
        FsError error(long bytes) {
            if ((flags & FLAG_READ_ONLY) != 0) {
                return FsError.EROFS;
            }
            long needed = fragmentBytes == 0 ? 1 : (bytes + fragmentBytes - 1) / fragmentBytes;
            boolean full = blocks > 0 && blocksAvailable < Math.max(1, needed);
            return full || (files > 0 && filesFree == 0) ? FsError.ENOSPC : FsError.EIO;
        }
    }
}
