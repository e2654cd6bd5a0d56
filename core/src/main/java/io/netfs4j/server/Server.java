// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * A remote store that is connected: names, attributes, and the files' data by {@link ServerFile}.
 * This is what a protocol author writes.
 *
 * <p><b>Threads</b>: the methods here wait for the server on the calling thread, which may be a
 * virtual one and may be interrupted (EINTR; the outcome is then unknown to the caller and must
 * leave the connection usable). No lock of the caller is held. Any number of calls at once.
 *
 * <p><b>Errors</b>: {@link FsException} with the server's meaning. ENOENT only when the server said
 * so, never for an error of the connection: a lost connection is waited for, or ends in ETIMEDOUT
 * where a soft timeout was asked for. An operation whose answer was lost is verified before it is
 * repeated, so that a create is not answered with EEXIST because of itself.
 */
public interface Server extends AutoCloseable {
    Capabilities capabilities();

    /**
     * Whether there is a connection now, as far as is known without asking the server. Does not
     * wait. Servers that have no connection to lose say yes.
     */
    default boolean isConnected() {
        return true;
    }

    /**
     * The same server, of which {@link #stat} and {@link #open} fail with ENOTCONN where they would
     * wait because the connection is lost: for who has something to go by then. What is opened by
     * it is as patient as always.
     *
     * @return null where there is no connection to wait for
     */
    default @Nullable Server impatient() {
        return null;
    }

    /** As lstat(2). */
    ServerAttributes stat(RemotePath path) throws FsException;

    /** Lists a directory, in any order. */
    void list(RemotePath directory, EntrySink sink) throws FsException;

    /**
     * Opens a regular file.
     *
     * @param source tells the path now and again after each reconnect
     */
    OpenedFile open(PathSource source, Access access) throws FsException;

    /**
     * A handle of a regular file that is opened on the server when it is first used: for who knows
     * the file while there is no connection. Does not wait.
     *
     * @param known what the server said of it last
     * @return null where a handle is only had by asking
     */
    default @Nullable ServerFile openLater(
            PathSource source, Access access, ServerAttributes known) {
        return null;
    }

    /**
     * Creates a regular file that must not exist (EEXIST), open for reading and writing.
     *
     * @param mode permission bits; the server may drop some
     */
    OpenedFile create(PathSource source, int mode) throws FsException;

    ServerAttributes makeDirectory(RemotePath path, int mode) throws FsException;

    /** Removes a name that is not a directory. */
    void remove(RemotePath path) throws FsException;

    void removeDirectory(RemotePath path) throws FsException;

    void rename(RemotePath from, RemotePath to, RenameMode mode) throws FsException;

    ServerAttributes setAttributes(RemotePath path, AttributeChange change) throws FsException;

    default ServerAttributes makeSymlink(RemotePath path, String target) throws FsException {
        throw new FsException(FsError.EPERM, "the server has no symbolic links");
    }

    /**
     * Makes a symbolic link and then asks what another name stands for; in one round trip where the
     * protocol allows it.
     *
     * @return null where nothing is there, or where we may not look
     * @throws FsException why the link was not made
     */
    default @Nullable ServerAttributes makeSymlinkAndStat(
            RemotePath link, String target, RemotePath path) throws FsException {
        makeSymlink(link, target);
        try {
            return stat(path);
        } catch (FsException e) {
            if (e.isAbsence() || e.error() == FsError.EACCES || e.error() == FsError.EPERM) {
                return null;
            }
            throw e;
        }
    }

    default String readSymlink(RemotePath path) throws FsException {
        throw new FsException(FsError.EINVAL, "the server has no symbolic links");
    }

    /** Gives an existing file another name. */
    default ServerAttributes link(RemotePath existing, RemotePath path) throws FsException {
        throw new FsException(FsError.EPERM, "the server has no hard links");
    }

    default ServerFileSystemStatistics statistics(RemotePath path) throws FsException {
        throw new FsException(FsError.ENOSYS, "the server does not tell its size");
    }

    default byte[] getXattr(RemotePath path, String name) throws FsException {
        throw new FsException(FsError.ENOTSUP);
    }

    /** How {@link #setXattr} treats an existing or missing name. */
    enum XattrMode {
        ANY,
        CREATE,
        REPLACE
    }

    default void setXattr(RemotePath path, String name, byte[] value, XattrMode mode)
            throws FsException {
        throw new FsException(FsError.ENOTSUP);
    }

    default List<String> listXattrs(RemotePath path) throws FsException {
        throw new FsException(FsError.ENOTSUP);
    }

    default void removeXattr(RemotePath path, String name) throws FsException {
        throw new FsException(FsError.ENOTSUP);
    }

    /**
     * Ends the connection. Pieces in flight end as {@code Failed}; waiting calls end with ENOTCONN.
     */
    @Override
    void close();
}
