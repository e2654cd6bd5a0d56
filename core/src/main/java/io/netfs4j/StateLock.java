// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What is kept of one remote, for as long as one mount has it. The lock is the operating system's
 * and ends with the process, however that ends; the file that carries it says who has it.
 *
 * <p>The system's lock is the process's, and is gone as soon as the process closes <i>any</i>
 * channel of that file: so a table of this process comes before it, and a file that is in the table
 * is not opened.
 *
 * <p><b>Threads</b>: any.
 */
final class StateLock implements AutoCloseable {
    private static final String LOCK = "LOCK";

    /** Longer names of places are cut off. */
    private static final int HOLDER_BYTES_MAX = 8192;

    private static final Set<OpenOption> OPTIONS =
            Set.of(
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    LinkOption.NOFOLLOW_LINKS);

    private static final ReentrantLock TABLE = new ReentrantLock();

    /** By the real paths of their directories. */
    @GuardedBy("TABLE")
    private static final Map<Path, StateHolder> HELD_HERE = new HashMap<>();

    private final Path directory;
    private final Path real;
    private final FileChannel channel;

    private StateLock(Path directory, Path real, FileChannel channel) {
        this.directory = directory;
        this.real = real;
        this.channel = channel;
    }

    static StateLock take(Path directory, String remote, String place) throws IOException {
        Path real = directory.toRealPath();
        StateHolder holder = StateHolder.here(place.replace('\n', ' '));
        TABLE.lock();
        try {
            StateHolder other = HELD_HERE.get(real);
            if (other != null) {
                throw taken(remote, other);
            }
            FileChannel channel =
                    FileChannel.open(real.resolve(LOCK), OPTIONS, StateDirectory.OWNER_ONLY_FILE);
            boolean taken = false;
            try {
                if (tryLock(channel) == null) {
                    throw taken(remote, read(channel));
                }
                channel.truncate(0);
                byte[] words = holder.format().getBytes(StandardCharsets.UTF_8);
                channel.write(
                        ByteBuffer.wrap(words, 0, Math.min(words.length, HOLDER_BYTES_MAX)), 0);
                taken = true;
            } finally {
                if (!taken) {
                    channel.close();
                }
            }
            HELD_HERE.put(real, holder);
            return new StateLock(directory, real, channel);
        } finally {
            TABLE.unlock();
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // Of another class loader in this process.
        }
    }

    private static FsException taken(String remote, @Nullable StateHolder holder) {
        String who = holder == null ? "another process" : holder.words();
        return new FsException(
                FsError.EBUSY,
                remote
                        + " is mounted already: "
                        + who
                        + " keeps what is not on its server yet; unmount that first, or give this"
                        + " mount a directory of its own with the option state");
    }

    /** Who has it; null for nobody, as far as can be told without trying to take it. */
    static @Nullable StateHolder holder(Path directory) {
        TABLE.lock();
        try {
            StateHolder here = HELD_HERE.get(directory.toRealPath());
            if (here != null) {
                return here;
            }
            StateHolder said = StateHolder.parse(Files.readString(directory.resolve(LOCK)));
            return said != null && said.isAlive() ? said : null;
        } catch (IOException e) {
            return null; // Nobody ever had it, or may not be read.
        } finally {
            TABLE.unlock();
        }
    }

    private static @Nullable StateHolder read(FileChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(HOLDER_BYTES_MAX);
        channel.read(bytes, 0);
        return StateHolder.parse(StandardCharsets.UTF_8.decode(bytes.flip()).toString());
    }

    /** What is kept of the remote. */
    Path directory() {
        return directory;
    }

    /** Lets go of it; by then nothing may be written there any more. */
    @Override
    public void close() {
        TABLE.lock();
        try {
            if (!channel.isOpen()) {
                return;
            }
            HELD_HERE.remove(real);
            try (channel) {
                channel.truncate(0);
            } catch (IOException e) {
                // Then it names a process that has ended, or does something else: as after a kill.
            }
        } finally {
            TABLE.unlock();
        }
    }
}
