// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerFileSystemStatistics;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * A mounted remote by inode number and single name: what every door calls.
 *
 * <p><b>Threads</b>: any number at once. Methods wait for the server where they must, interruptibly
 * (EINTR); those named try… never wait.
 *
 * <p><b>Ownership</b>: each {@link Entry} with attributes that is returned counts one look-up of
 * its inode, given back by {@link #forget}; each open file and directory is released once.
 *
 * <p><b>Errors</b>: {@link FsException} with errno's meaning.
 */
public interface Vfs {
    /** The inode number of the root. */
    long ROOT_INO = 1;

    /** The entry of a name; negative when the server has no such name. */
    Entry lookup(long parent, String name) throws FsException;

    /** As {@link #lookup} from what is known and fresh; null when the server has to be asked. */
    @Nullable Entry tryLookup(long parent, String name) throws FsException;

    /** Gives back {@code count} look-ups of an inode. */
    void forget(long ino, long count);

    Attributes getAttributes(long ino) throws FsException;

    /** As {@link #getAttributes} from what is known and fresh, else null. */
    @Nullable Attributes tryGetAttributes(long ino) throws FsException;

    /** For how long the attributes now returned for this inode may be believed. */
    long attributesValidNanos(long ino);

    /** Sets attributes, also those of an open file without a name. */
    Attributes setAttributes(long ino, AttributeChange change, @Nullable OpenFile file)
            throws FsException;

    CreatedFile create(long parent, String name, int mode, OpenFlags flags) throws FsException;

    OpenFile open(long ino, OpenFlags flags) throws FsException;

    /**
     * Reads into the target's remaining room.
     *
     * @return how many bytes; fewer than asked only at the end of the file
     */
    int read(OpenFile file, long position, ByteBuffer target) throws FsException;

    /**
     * Lends bytes out of the page cache when all that were asked for are there, else returns null.
     */
    @Nullable PinnedBytes tryRead(OpenFile file, long position, int count) throws FsException;

    /** Writes all remaining bytes of the source; waits when too much is dirty. */
    int write(OpenFile file, long position, ByteBuffer source) throws FsException;

    /**
     * Writes past the page cache, from the buffer's position to its limit, which are not moved.
     * Does not wait for the server, unless it has no better way.
     *
     * @param source must not be touched until the completion has ended
     * @return ends, once and on any thread, with how many bytes from the beginning the server has
     * @throws FsException when it could not begin
     */
    default Completion<Integer> writeUnbuffered(OpenFile file, long position, ByteBuffer source)
            throws FsException {
        return Completion.done(write(file, position, source.duplicate()));
    }

    /**
     * What was written to the file before is on the server before anything that is written to it
     * afterwards, by whomever. Waits only when there are too many such barriers.
     */
    default void barrier(OpenFile file) throws FsException {
        fsync(file, true);
    }

    /**
     * As {@link #write} when that waits for nothing but this machine's disk, which has to have the
     * bytes where there is a journal; else writes nothing and returns false.
     */
    boolean tryWrite(OpenFile file, long position, ByteBuffer source) throws FsException;

    /** close(2) of one descriptor: starts the upload; reports an error not yet reported. */
    void flush(OpenFile file) throws FsException;

    /** Returns when every byte written before is on the server's stable storage. */
    void fsync(OpenFile file, boolean dataOnly) throws FsException;

    /** The last descriptor is gone. Never fails. */
    void release(OpenFile file);

    /** As {@link #fsync} for a directory's names. */
    void fsyncDirectory(long ino) throws FsException;

    OpenDirectory openDirectory(long ino) throws FsException;

    /**
     * Gives entries from a cookie on, 0 for the beginning; "." and ".." among them.
     *
     * @param plus whether whole entries are wanted
     */
    void readDirectory(OpenDirectory directory, long cookie, boolean plus, DirectorySink sink)
            throws FsException;

    void releaseDirectory(OpenDirectory directory);

    Entry makeDirectory(long parent, String name, int mode) throws FsException;

    Entry makeSymlink(long parent, String name, String target) throws FsException;

    String readSymlink(long ino) throws FsException;

    Entry link(long ino, long parent, String name) throws FsException;

    void unlink(long parent, String name) throws FsException;

    void removeDirectory(long parent, String name) throws FsException;

    void rename(long parent, String name, long newParent, String newName, RenameMode mode)
            throws FsException;

    ServerFileSystemStatistics statistics() throws FsException;

    byte[] getXattr(long ino, String name) throws FsException;

    void setXattr(long ino, String name, byte[] value, Server.XattrMode mode) throws FsException;

    List<String> listXattrs(long ino) throws FsException;

    void removeXattr(long ino, String name) throws FsException;

    void allocate(OpenFile file, AllocateMode mode, long position, long length) throws FsException;

    /**
     * SEEK_DATA: the first byte at or after the position that may hold data; ENXIO past the end.
     */
    long seekData(OpenFile file, long position) throws FsException;

    /** SEEK_HOLE: the first byte at or after the position that is in a hole; the end counts. */
    long seekHole(OpenFile file, long position) throws FsException;

    /** copy_file_range(2). Returns how many bytes were copied. */
    long copyRange(OpenFile source, long from, OpenFile target, long to, long count)
            throws FsException;

    /** Who is told of changes from now on. */
    void setKernelCache(KernelCache cache);
}
