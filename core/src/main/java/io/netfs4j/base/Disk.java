// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * One directory of this machine's disk, and the files in it: all that the journal and the disk
 * cache know of a disk. Production has {@link SystemDisk}; the simulator has one that forgets what
 * was not forced.
 *
 * <p>What was written is there for every other program at once, and after a loss of power once it
 * was forced: the bytes of a file by {@link File#force}, its name by {@link #forceNames}.
 *
 * <p><b>Threads</b>: any; every method waits for the disk, and an interrupt neither ends that nor
 * is lost. Never call it with a lock held that an engine step takes.
 */
public interface Disk {
    /** The names of the files in the directory, in no order. */
    List<String> list() throws IOException;

    /**
     * Opens a file for reading and writing; makes it, empty, where it is not there and {@code
     * create} says so. Links are not followed.
     *
     * @throws java.nio.file.NoSuchFileException when it is not there and is not to be made
     */
    File open(String name, boolean create) throws IOException;

    /** Gives a file another name, in one step; a file that had that name is gone. */
    void rename(String from, String to) throws IOException;

    /**
     * Gives a file of another directory a name in this one as well: it is there until it has
     * neither, and what is written under the one is written under the other.
     *
     * @throws java.nio.file.NoSuchFileException when there is no such file
     * @throws IOException also when both directories are not on one file system that can do so
     */
    void link(Disk from, String name, String as) throws IOException;

    /** Removes a file; its space is free once nobody has it open. */
    void delete(String name) throws IOException;

    /** Names that were made, changed or removed survive a loss of power from now on. */
    void forceNames() throws IOException;

    /** Bytes that files may still take, as far as the disk says. */
    long freeBytes() throws IOException;

    /** Bytes of the whole disk, used or free. */
    long totalBytes() throws IOException;

    /** An open file. */
    interface File extends AutoCloseable {
        long sizeBytes() throws IOException;

        /** Reads until the buffer is full or the file ends; returns how many bytes. */
        int read(ByteBuffer to, long position) throws IOException;

        /**
         * Writes all of a buffer. When it throws, any part of it may have been written.
         *
         * @throws IOException also when the disk is full
         */
        void write(ByteBuffer from, long position) throws IOException;

        void truncate(long sizeBytes) throws IOException;

        /**
         * What was written survives a loss of power from now on. When it throws, nothing is known
         * of what was written since the last time, and asking again tells nothing either.
         */
        void force() throws IOException;

        /** Never throws; what was not forced may be lost all the same. */
        @Override
        void close();
    }
}
